"""One daemon over one repository that holds everything a hostile push can hold: what is good in it stays good."""

import html
import os
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from fakes.daemon import Daemon
from fakes.hostile import DEPLOY, ODD_REFS, Hostile, well
from fakes.sources import repository
from pointsman.intake.unusable import MOST_LOGGED


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Hostile:
    """The repository, whose own configuration would have commands run (55)."""
    folder = tmp_path_factory.mktemp("hostile")
    made = Hostile(folder / "ops.git")
    trap = folder / "trap"
    trap.write_text(f"#!/bin/sh\necho $0 >>{folder / 'ran'}\ncat\n")
    trap.chmod(0o755)
    for name in ("core.fsmonitor", "filter.evil.smudge", "filter.evil.process", "gpg.ssh.program", "core.sshCommand"):
        made.repository.git("config", name, str(trap))
    hooks = made.repository.path / "hooks"
    hooks.mkdir(exist_ok=True)
    for hook in ("reference-transaction", "post-checkout", "post-index-change", "fsmonitor-watchman"):
        (hooks / hook).symlink_to(trap)
    return made


@pytest.fixture(scope="module")
def daemon(hostile: Hostile) -> Iterator[Daemon]:
    """The daemon, once it has judged every ref."""
    folder = hostile.repository.path.parent
    (folder / "pointsman.toml").write_text("poll_seconds = 0.5\n")
    daemon = Daemon(
        hostile.repository.path, folder / "data", ("--workers", "2", "--config", str(folder / "pointsman.toml"))
    )
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


def deploy(daemon: Daemon) -> dict[str, object]:
    """The good workflow, as it is listed."""
    return dict(daemon.get("workflows/p/deploy"))


def why(daemon: Daemon, ref: str) -> str:
    """Everything the daemon says when it is asked to judge a ref; empty if it is good."""
    answer = daemon.ask("POST", "validate", {"ref": ref})
    assert answer.status in {200, 404, 422}, (ref, answer.body)
    if answer.status != 200:
        return str(answer.json["detail"])
    assert answer.json["valid"] is not any(one["severity"] == "error" for one in answer.json["problems"])
    return " | ".join(f"{one['path']}: {one['message']}" for one in answer.json["problems"])


def refs_page(daemon: Daemon) -> dict[str, str]:
    """The refs that the page with the workflows says cannot be used, with its reasons."""
    page = daemon.ask("GET", "//workflows").body.decode()
    rows = re.findall(r"<tr><td><code>(.*?)</code></td><td>(.*?)</td></tr>", page)
    return {html.unescape(name): html.unescape(says) for name, says in rows}


def test_one_bad_ref_never_hides_another(daemon: Daemon) -> None:
    """The list's first rule: version, branches and inventory are there as if they were alone."""
    found = deploy(daemon)

    assert found["latest"] == "2"
    versions = {one["tag"]: one["state"] for one in found["versions"]}  # type: ignore[attr-defined]
    assert (versions["v1"], versions["v2"]) == ("valid", "valid")
    drafts = {one["branch"]: one["state"] for one in found["drafts"]}  # type: ignore[attr-defined]
    assert {"main", "good"} <= {name for name, state in drafts.items() if state == "valid"}
    assert len(daemon.get("targets")["items"]) == 7


def test_a_version_among_them_runs(daemon: Daemon) -> None:
    """From the plan to the step, whose files are Git's objects."""
    run = daemon.post("runs", {"workflow": DEPLOY, "version": "1"})["number"]

    assert daemon.run_in(run, "succeeded", "failed", "rejected")["state"] == "succeeded"


def test_every_bad_ref_is_refused_with_the_reason(daemon: Daemon, hostile: Hostile) -> None:
    """Hostile 37, 38, 40, 43, 44, 45, 46, 47, 61: when somebody asks about it by name."""
    wrong = {}
    for name, reason in hostile.bad.items():
        told = why(daemon, name)
        if reason not in told or bool(told) is not bool(reason):
            wrong[name] = told
    assert not wrong


def test_every_bad_ref_is_shown_somewhere_with_the_reason(daemon: Daemon, hostile: Hostile) -> None:
    """Hostile 37, 38, 45, 51: on the page if it has no workflow to be listed with, else there."""
    listed = refs_page(daemon)
    found = deploy(daemon)
    drafts = {one["branch"]: one["problems"] for one in found["drafts"]}  # type: ignore[attr-defined]
    tags = {one["tag"]: one["state"] for one in found["versions"]}  # type: ignore[attr-defined]

    for name, reason in hostile.bad.items():
        short = name.split("/", 2)[2]
        if reason and short not in drafts and tags.get(short) != "invalid":
            assert reason in listed.get(name, ""), name
    assert listed["refs/tags/../../../etc/x"] == "its name is not one that Git allows"
    assert listed["refs/heads/bad\\x1bname"] == "its name is not one that Git allows"
    assert listed["refs/tags/v51"] == "its line in packed-refs is damaged"
    assert daemon.stderr().count(" cannot be used: ") >= MOST_LOGGED
    assert {"main", "good", "bad/61.1", "bad/61.2"} & {name.split("/", 2)[2] for name in listed} == set()


def test_odd_names_of_refs_are_names_and_shown_as_text(daemon: Daemon) -> None:
    """Hostile 48: loose and packed; never an option, a command or a tag of the page."""
    drafts = {one["branch"]: one["state"] for one in deploy(daemon)["drafts"]}  # type: ignore[attr-defined]
    assert {name: drafts.get(name) for name in ODD_REFS} == dict.fromkeys(ODD_REFS, "valid")
    for name in ODD_REFS:
        assert why(daemon, name) == ""
        page = daemon.ask("GET", f"//workflows/p/deploy?ref={quote(name)}")
        assert page.status == 200
        assert b"<script>alert" not in page.body
        assert html.escape(name, quote=False).encode() in page.body.replace(b"&#39;", b"'").replace(b"&#34;", b'"')
    assert b"<script>alert" not in daemon.ask("GET", "//workflows").body


def test_odd_names_of_files_are_escaped_on_every_way_out(daemon: Daemon) -> None:
    """Hostile 47: API, pages, log; no workflow comes of such a file."""
    bodies = [
        daemon.ask("GET", "workflows?limit=200").body,
        daemon.ask("POST", "validate", {"ref": "bad/47"}).body,
        daemon.ask("GET", "//workflows").body,
        daemon.ask("GET", "//workflows/p/deploy?ref=bad/47").body,
        daemon.stderr().encode(),
    ]
    for body in bodies:
        assert not re.search(rb"[\x00-\x08\x0b-\x1f\x7f\xff]", body)
        assert "\u202e".encode() not in body
        assert b"<b>.yaml" not in body.replace(b'"projects/p/workflows/<b>.yaml', b"")
    assert {one["path"] for one in daemon.get("workflows?limit=200")["items"]} == {DEPLOY}


def test_a_link_is_never_followed(daemon: Daemon) -> None:
    """Hostile 40: what it points at is in no answer."""
    for ref in ("bad/40.1", "bad/40.2", "bad/40.3"):
        for address in (f"//workflows/p/deploy?ref={ref}", f"workflows/p/deploy?ref={ref}"):
            assert b"root:" not in daemon.ask("GET", address).body


def test_nothing_that_the_repository_configures_was_started(daemon: Daemon, hostile: Hostile) -> None:
    """Hostile 55: after looks, verdicts, plans and runs."""
    daemon.post("plan", {"workflow": DEPLOY, "ref": "good"})

    assert not (hostile.repository.path.parent / "ran").exists()


def test_what_is_pushed_later_is_seen_among_them(daemon: Daemon, hostile: Hostile) -> None:
    """Hostile 51, 59: into new folders, where neither git nor libgit2 can list the refs any more."""
    made = hostile.repository
    with pytest.raises(AssertionError, match="fatal"):
        made.git("for-each-ref")
    made.write_ref("refs/heads/new/in/folders", hostile.later)
    made.write_ref("refs/tags/p/later/v1", hostile.later)

    def seen() -> bool:
        found = daemon.ask("GET", "workflows/p/later").json
        return (found.get("latest"), [one["branch"] for one in found.get("drafts", ())]) == ("1", ["new/in/folders"])

    daemon.until(seen, "the version and its draft")


def test_a_broken_ref_heals_when_it_is_pushed_again(daemon: Daemon, hostile: Hostile) -> None:
    """Hostile 37, 38: what is unusable today is a branch like any other tomorrow."""
    assert "refs/heads/bad/38.0" in refs_page(daemon)

    hostile.repository.write_ref("refs/heads/bad/38.0", hostile.good)

    daemon.until(lambda: "refs/heads/bad/38.0" not in refs_page(daemon), "the page without it")
    assert "bad/38.0" in {one["branch"] for one in deploy(daemon)["drafts"]}  # type: ignore[attr-defined]


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a repository to somebody else")
def test_a_repository_of_another_user_is_not_served(tmp_path: Path) -> None:
    """Hostile 54: the daemon says why and what to do, and ends."""
    made = repository(tmp_path / "ops.git")
    os.chown(made.path, 12345, 12345)

    with pytest.raises(AssertionError, match="belongs to another user") as caught:
        Daemon(made.path, tmp_path / "data").start()

    assert f"safe.directory {made.path}" in str(caught.value)
    assert "Traceback" not in str(caught.value)


def test_what_remains_after_a_restart_is_the_same(daemon: Daemon) -> None:
    """No bad ref keeps a daemon from coming up."""
    before = (deploy(daemon), refs_page(daemon))
    assert daemon.stop() == 0

    daemon.start()

    daemon.until(lambda: daemon.ask("GET", "//readyz").status == 200, "the first look")
    assert (deploy(daemon), refs_page(daemon)) == before
