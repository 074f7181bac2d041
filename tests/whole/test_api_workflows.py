"""The API about what there is to run: workflows, verdicts, plans, targets; and lists in general."""

from collections.abc import Iterator
from urllib.parse import quote

import pytest

from fakes.daemon import Daemon
from fakes.git import Repository
from fakes.lab import LAB, WORKFLOWS, lab_files, served_lab, started

LISTS = ("runs", "workflows", "targets", "events", "gates", "runs/1/events")
SQL = ("' OR '1'='1", "x'; DROP TABLE runs; --", '"; --', "%", "_", "\\", "1) OR (1=1", "*", "[a-z]*")


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    with served_lab(tmp_path_factory.mktemp("workflows")) as daemon:
        daemon.run_in(started(daemon, "quick"), "succeeded")
        yield daemon


def test_a_workflow_is_listed_with_its_versions_and_drafts(daemon: Daemon) -> None:
    """INTERFACES: `GET workflows`."""
    found = {entry["path"]: entry for entry in daemon.get("workflows?limit=200")["items"]}
    assert {LAB.format(name) for name in WORKFLOWS} <= found.keys()
    quick = found[LAB.format("quick")]
    assert (quick["project"], quick["workflow"], quick["latest"]) == ("lab", "quick", "1")
    (version,) = quick["versions"]
    assert (version["version"], version["tag"], version["state"]) == ("1", "v1", "valid")
    assert version["published_at"].endswith("Z")
    (draft,) = quick["drafts"]
    assert draft == {"branch": "main", "commit": version["commit"], "state": "valid", "problems": []}
    assert daemon.get("workflows/lab/quick") == quick


def test_a_source_is_judged_with_place_code_and_hint(daemon: Daemon) -> None:
    """INTERFACES: `POST validate`; R7, R15, R24."""
    good = daemon.post("validate", {"project": "lab", "source": "steps:\n" + WORKFLOWS["speaking"]})
    assert (good["valid"], good["problems"], good["variables"]) == (True, [], ["words"])
    one = "- {type: change, target: /projects/lab/assets/%s, action: %s}\n"
    source = "steps:\n" + one % ("onne", "say") + one % ("one", "sya")
    bad = daemon.post("validate", {"project": "lab", "workflow": "quick", "source": source})
    assert bad["valid"] is False
    assert [(found["path"], found["line"]) for found in bad["problems"]] == [
        ("projects/lab/workflows/quick.yaml", 2), ("projects/lab/workflows/quick.yaml", 3),
    ]  # fmt: skip
    for problem in bad["problems"]:
        assert problem.keys() == {"path", "line", "column", "code", "severity", "message", "hint"}


def test_a_ref_is_judged(daemon: Daemon) -> None:
    """INTERFACES: `POST validate` with a ref."""
    for ref in ("main", "v1", daemon.get("workflows/lab/quick")["versions"][0]["commit"]):
        assert daemon.post("validate", {"ref": ref})["valid"] is True, ref


@pytest.mark.parametrize(
    "ref", ["nowhere", "--upload-pack=x", "-rf", "$(id)", "../../etc", "main:projects", "main^{/x}", ""]
)
def test_a_ref_that_is_none_is_refused(daemon: Daemon, ref: str) -> None:
    """A ref is a name and never an option, a path or an expression."""
    for body in ({"ref": ref}, {"ref": ref, "workflow": LAB.format("quick")}):
        answer = daemon.ask("POST", "plan" if "workflow" in body else "validate", body)
        assert answer.status in {404, 422}, answer.body


def test_a_plan_has_a_digest_and_is_not_a_run(daemon: Daemon) -> None:
    """INTERFACES: `POST plan`, of a version, a draft and a source."""
    before = daemon.get("runs")["items"]
    version = daemon.post("plan", {"workflow": LAB.format("speaking"), "properties": {"words": "hi"}})
    draft = daemon.post("plan", {"workflow": LAB.format("speaking"), "ref": "main", "properties": {"words": "hi"}})
    source = daemon.post(
        "plan", {"project": "lab", "source": "steps:\n" + WORKFLOWS["speaking"], "properties": {"words": "hi"}}
    )
    for plan in (version, draft, source):
        assert len(plan["digest"]) == 64
        assert [(step["key"], step["kind"], step["state"]) for step in plan["steps"]] == [("1", "change", "pending")]
    again = daemon.post("plan", {"workflow": LAB.format("speaking"), "properties": {"words": "hi"}})
    other = daemon.post("plan", {"workflow": LAB.format("speaking"), "properties": {"words": "ho"}})
    assert again == version
    assert other["digest"] != version["digest"]
    assert daemon.get("runs")["items"] == before


def test_a_plan_that_cannot_be_is_refused_with_all_problems(daemon: Daemon) -> None:
    """R32: 422."""
    answer = daemon.ask("POST", "plan", {"workflow": LAB.format("speaking")})
    assert (answer.status, len(answer.json["errors"])) == (422, 1)
    assert daemon.ask("POST", "plan", {"workflow": LAB.format("nowhere")}).status == 404
    assert daemon.ask("POST", "plan", {}).status == 400


def test_targets_and_approvers_complete(daemon: Daemon) -> None:
    """INTERFACES: what the page and the editor complete from."""
    targets = {target["path"]: target for target in daemon.get("targets?limit=200")["items"]}
    assert "say" in targets["/projects/lab/assets/one"]["actions"]
    assert daemon.get("approvers?query=MIR")["items"] == [{"kind": "user", "name": "mira"}]
    assert daemon.get("approvers?query=%25")["items"] == []
    assert daemon.get("whoami")["name"] == "opschain"


@pytest.mark.parametrize("path", LISTS)
def test_lists_refuse_a_limit_or_cursor_that_is_none_and_cap_what_is_too_much(daemon: Daemon, path: str) -> None:
    """INTERFACES: default 50, at most 200."""
    for query in (
        "limit=0", "limit=-1", "limit=abc", "limit=", "limit=1.5", "limit=1e9", "limit=%D9%A3", "cursor=abc",
        "cursor=-1", "cursor=1%20OR%201=1", "cursor=" + "9" * 40, "cursor=eyJpZCI6MX0=",
    ):  # fmt: skip
        answer = daemon.ask("GET", f"{path}?{query}")
        assert answer.status == 400, query
        assert answer.json["detail"]
    for query in ("limit=1000000000", "limit=" + "9" * 40, "cursor=999999999999999", "limit=1&limit=2"):
        answer = daemon.ask("GET", f"{path}?{query}")
        assert answer.status == 200, query
        assert answer.json.keys() == {"items", "next_cursor"}
        assert len(answer.json["items"]) <= 200


def test_sql_in_a_filter_is_only_text(daemon: Daemon) -> None:
    """No filter is ever SQL, a pattern or a name of ours."""
    for text in SQL:
        for path in (
            "runs?state={}", "runs?workflow={}", "runs?started_by={}", "runs?metadata=a={}", "runs?metadata={}=1",
            "events?type={}", "events?actor={}", "approvers?query={}",
        ):  # fmt: skip
            answer = daemon.ask("GET", path.format(quote(text, safe="")))
            assert (answer.status, answer.json["items"]) == (200, []), (path, text)
    assert daemon.ask("GET", "runs?since=" + quote("' OR 1=1")).status == 400
    assert daemon.ask("GET", "runs?metadata=nothing").status == 400
    assert daemon.get("runs?sort=__class__&order_by=id")["items"]
    assert len(daemon.get("runs")["items"]) == 1


def test_an_invalid_version_is_listed_and_cannot_be_run(daemon: Daemon) -> None:
    """R20: the others at the same tag are published all the same."""
    folder = daemon.data.parent
    repository = Repository(folder / "ops.git")
    files = {**lab_files(folder), "projects/lab/workflows/quick.yaml": "steps:\n- {type: wiat}\n"}
    repository.commit(files, branch="next")
    repository.tag("v2", repository.head("next"))
    found = daemon.until(lambda: _with_two_versions(daemon, "quick"), "v2")
    assert [(version["version"], version["state"]) for version in found["versions"]] == [
        ("1", "valid"),
        ("2", "invalid"),
    ]
    assert found["latest"] == "1"
    assert found["versions"][1]["problems"]
    assert [(draft["branch"], draft["state"]) for draft in found["drafts"]] == [("main", "valid"), ("next", "invalid")]
    assert daemon.get("workflows/lab/gated")["latest"] == "2"
    answer = daemon.ask("POST", "runs", {"workflow": LAB.format("quick"), "version": "2"})
    assert answer.status == 422


def _with_two_versions(daemon: Daemon, name: str) -> dict[str, list[dict[str, object]]]:
    found = daemon.get(f"workflows/lab/{name}")
    return found if len(found["versions"]) == 2 else {}
