"""More of everything than anybody needs, for one daemon: refs, files, calls. All is bounded before it starts."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from fakes.daemon import Daemon
from fakes.git import ENVIRONMENT, Repository
from fakes.hostile import DEPLOY, GOOD, well
from fakes.sources import files_of, repository

PUSHED = 1_000
CALL = "{{type: workflow, target: /projects/p/workflows/{}, property_overrides: [{}]}}"
MANY = ", ".join(f"{{n: {number}}}" for number in range(2200))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """Three workflows that each call the next 2,200 times, two that call one another, and a good one; at a tag."""
    chain = {f"w{level}": f"steps: [{CALL.format(f'w{level + 1}', MANY)}]" for level in range(3)}
    ring = {one: f"steps: [{CALL.format(other, '{}')}]" for one, other in (("ping", "pong"), ("pong", "ping"))}
    texts = {"deploy": GOOD, "w3": GOOD, **chain, **ring}
    files = {f"projects/p/workflows/{code}.yaml": text for code, text in texts.items()}
    made = repository(tmp_path_factory.mktemp("load") / "ops.git", files)
    made.tag("v1")
    return made


@pytest.fixture(scope="module")
def daemon(made: Repository) -> Iterator[Daemon]:
    """The daemon, once it has looked."""
    daemon = Daemon(made.path, made.path.parent / "data")
    try:
        daemon.start()
        daemon.until(lambda: daemon.ask("GET", "//readyz").status == 200, "the first look")
        yield daemon
    finally:
        if daemon.process is not None:
            daemon.kill()


@pytest.fixture(autouse=True)
def _all_is_well(daemon: Daemon) -> Iterator[None]:
    """No test leaves a traceback or a daemon that is gone."""
    yield
    well(daemon)


def refused(daemon: Daemon, workflow: str) -> list[str]:
    """Why no run of the draft of a workflow can be planned."""
    answer = daemon.ask("POST", "plan", {"workflow": f"/projects/p/workflows/{workflow}", "ref": "main"})
    assert answer.status == 422, answer.body
    return [error["message"] for error in answer.json["errors"]]


def test_ten_to_the_ten_steps_are_refused_with_the_number(daemon: Daemon) -> None:
    """Hostile 181: at validation, and by the plan; only those that stay below it are versions."""
    assert any("more than 20,000 steps" in said for said in refused(daemon, "w0"))

    states = {one["workflow"]: one["versions"][0]["state"] for one in daemon.get("workflows?limit=200")["items"]}
    assert [states[f"w{level}"] for level in range(4)] == ["invalid", "invalid", "valid", "valid"]
    assert states["deploy"] == "valid"
    run = daemon.ask("POST", "runs", {"workflow": "/projects/p/workflows/w0"})
    assert run.status == 422


def test_a_cycle_is_refused_with_its_path(daemon: Daemon) -> None:
    """Hostile 182: where it begins, and where it comes back to."""
    assert any("p/ping → p/pong → p/ping" in said for said in refused(daemon, "ping"))
    assert daemon.ask("POST", "runs", {"workflow": "/projects/p/workflows/ping"}).status == 422


def test_a_thousand_refs_in_one_push_are_all_seen(daemon: Daemon, made: Repository, tmp_path: Path) -> None:
    """Hostile 57, 59, 190: a push by real git while the repository is packed; each tag is a version of its own."""
    local = Repository.clone(made, tmp_path / "local")
    commit = local.git("rev-parse", "HEAD")
    lines = [f"create refs/tags/p/deploy/v2.{number} {commit}\n" for number in range(PUSHED // 2)]
    lines += [f"create refs/tags/other/{number} {commit}\n" for number in range(PUSHED // 4)]
    lines += [f"create refs/heads/topic/{number} {commit}\n" for number in range(PUSHED // 4)]
    local.git("update-ref", "--stdin", stdin="".join(lines).encode())
    packing = subprocess.Popen(["git", "gc", "--quiet"], cwd=made.path, env=ENVIRONMENT)

    local.git("push", "--quiet", "origin", "refs/tags/*", "refs/heads/topic/*")

    assert packing.wait() == 0
    daemon.until(lambda: daemon.get("workflows/p/deploy")["latest"] == f"2.{PUSHED // 2 - 1}", "the last version")
    found = daemon.get("workflows/p/deploy")
    assert {one["state"] for one in found["versions"]} == {"valid"}
    assert len(found["versions"]) == PUSHED // 2 + 1
    daemon.until(lambda: len(daemon.get("workflows/p/deploy")["drafts"]) == PUSHED // 4 + 1, "all drafts")
    published = {one["version"] for one in events(daemon, "version_published") if one["workflow"] == DEPLOY}
    assert len(published) == PUSHED // 2 + 1


def test_a_run_goes_on_while_a_hundred_pushes_a_second_come(daemon: Daemon, made: Repository) -> None:
    """Hostile 190: the last state of each branch is what counts, and no tag is skipped."""
    heads = [made.commit(files_of(deploy=f"{GOOD}\n# {number}\n"), branch="busy") for number in range(3)]
    run = daemon.post("runs", {"workflow": DEPLOY, "version": "1"})["number"]

    for number in range(100):
        made.write_ref("refs/heads/busy", heads[number % 3])
        if number % 10 == 0:
            made.write_ref(f"refs/tags/p/deploy/v3.{number}", heads[0])

    assert daemon.run_in(run, "succeeded", "failed")["state"] == "succeeded"
    wanted = {f"3.{number}" for number in range(0, 100, 10)}
    daemon.until(
        lambda: wanted <= {one["version"] for one in daemon.get("workflows/p/deploy")["versions"]}, "every version"
    )
    drafts = {one["branch"]: one["commit"] for one in daemon.get("workflows/p/deploy")["drafts"]}
    assert drafts["busy"] == heads[99 % 3]


def events(daemon: Daemon, kind: str) -> list[dict[str, str]]:
    """All events of a kind."""
    found: list[dict[str, str]] = []
    address = f"events?type={kind}&limit=200"
    cursor = ""
    while True:
        page = daemon.get(address + cursor)
        found += [one.get("data", one) for one in page["items"]]
        if not page["next_cursor"]:
            return found
        cursor = f"&cursor={page['next_cursor']}"
