"""A daemon on a repository that lives elsewhere, and what a rewritten history does to a run that waits."""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from fakes.daemon import Daemon
from fakes.git import Repository
from fakes.http_git import served_over_http
from fakes.sources import DEV, repository
from fakes.ssh_git import served_over_ssh

DEPLOY = f"steps: [{{type: wait, name: Look}}, {{target: {DEV}, action: check}}]"
PATH = "/projects/p/workflows/deploy"
ARGS = ("--workers", "2")
POLL = {"POINTSMAN_POLL_SECONDS": "0.2"}


@pytest.fixture
def ops(tmp_path: Path) -> Repository:
    """A bare repository with one workflow on `main`, released as version 1."""
    made = repository(tmp_path / "ops.git", deploy=DEPLOY)
    made.tag("v1")
    return made


@pytest.fixture
def place(tmp_path: Path) -> Iterator[tuple[Path, ExitStack]]:
    """A data directory, and what is closed at the end."""
    with ExitStack() as closing:
        yield tmp_path / "data", closing


def started(url: str | Path, place: tuple[Path, ExitStack], **environ: str) -> Daemon:
    """A daemon on this repository."""
    data, closing = place
    daemon = Daemon(url, data, args=ARGS, environ={**POLL, **environ})
    daemon.start()
    closing.callback(daemon.kill)
    return daemon


def versions(daemon: Daemon) -> list[str]:
    """The tags of the versions that are listed."""
    entries = [entry for entry in daemon.get("workflows")["items"] if entry["path"] == PATH]
    return [version["tag"] for entry in entries for version in entry["versions"]]


@pytest.mark.parametrize("way", ["file", "http", "ssh"])
def test_what_is_pushed_elsewhere_is_listed_here(ops: Repository, place: tuple[Path, ExitStack], way: str) -> None:
    """With the git that everybody has: over http-backend, a real sshd, and from another folder."""
    folder, environ = ops.path.parent, dict[str, str]()
    start = f"file://{folder}"
    if way == "http":
        start = place[1].enter_context(served_over_http(folder))
    elif way == "ssh":
        start, environ = place[1].enter_context(served_over_ssh(folder / "ssh"))
        start += str(folder)
    daemon = started(f"{start}/ops.git", place, **environ)
    assert versions(daemon) == ["v1"]

    ops.tag("v2", ops.commit({"projects/p/project.yaml": "name: Other\n"}))

    daemon.until(lambda: versions(daemon) == ["v1", "v2"], "the second version")
    assert daemon.get("//readyz")["trouble"] == ""


def test_a_branch_that_cannot_be_fetched_is_told_and_holds_up_no_other(
    ops: Repository, place: tuple[Path, ExitStack]
) -> None:
    """Hostile 38."""
    daemon = started(f"file://{ops.path}", place)
    git_folder = ops.write_tree(("100644", b"config", ops.write_blob()))
    ops.commit_tree(ops.write_tree(("40000", b".git", git_folder)), "evil")
    ops.tag("v2", ops.commit({"projects/p/project.yaml": "name: Other\n"}))

    daemon.until(lambda: versions(daemon) == ["v1", "v2"], "the second version")
    daemon.until(lambda: "refs/heads/evil cannot be used: it cannot be fetched" in daemon.stderr(), "the reason")
    assert daemon.get("//readyz")["trouble"] == ""


def test_while_the_remote_is_away_the_daemon_goes_on_and_says_so(
    ops: Repository, place: tuple[Path, ExitStack]
) -> None:
    """Over a restart, too; what cannot be reached was not deleted (R25)."""
    daemon = started(f"file://{ops.path}", place)
    away = ops.path.with_suffix(".away")
    ops.path.rename(away)
    daemon.until(lambda: "cannot be fetched" in daemon.get("//readyz")["trouble"], "the trouble")
    run = daemon.post("runs", {"workflow": PATH})["number"]
    daemon.run_in(run, "waiting")
    assert "cannot be fetched" in daemon.stderr()

    away.rename(ops.path)
    daemon.until(lambda: not daemon.get("//readyz")["trouble"], "the end of the trouble")
    assert daemon.get("events?type=tag_deleted")["items"] == []


def test_a_url_whose_folder_is_no_repository_is_told_at_once(place: tuple[Path, ExitStack]) -> None:
    """Hostile 56: file:///etc."""
    with pytest.raises(AssertionError, match="is not a Git repository"):
        started("file:///etc", place)
    with pytest.raises(AssertionError, match="has a password in it") as refused:
        started("https://u:secret@127.0.0.1/ops.git", place)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("way", ["path", "mirror"])
def test_a_run_that_waits_survives_that_history_is_rewritten_and_collected(
    ops: Repository, place: tuple[Path, ExitStack], way: str
) -> None:
    """Hostile 63: its commits stay, for as long as there is a ref of Pointsman's own on them."""
    daemon = started(ops.path if way == "path" else f"file://{ops.path}", place)
    followed = ops if way == "path" else Repository(place[0] / "mirror.git")
    lost = ops.head()
    run = daemon.post("runs", {"workflow": PATH})["number"]
    daemon.run_in(run, "waiting")

    ops.delete_tag("v1")
    ops.git("update-ref", "refs/heads/main", ops.git("commit-tree", "-m", "Rewritten", ops.write_tree()))
    daemon.until(lambda: daemon.get("workflows")["items"][0]["drafts"] == [], "the rewritten branch")
    for swept in {ops.path: ops, followed.path: followed}.values():
        swept.git("reflog", "expire", "--expire=now", "--all")
        swept.git("gc", "--quiet", "--prune=now")
    if way == "mirror":
        assert lost not in Repository(ops.path).opened.odb
    shutil.rmtree(place[0] / "bundles")

    assert daemon.post(f"gates/{run}:1/decision", {"decision": "continue"})
    assert daemon.run_in(run, "succeeded", "failed")["state"] == "succeeded"
    assert lost in Repository(followed.path).opened.odb
