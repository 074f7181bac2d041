"""Real pushes over HTTP and ssh to a repository with the hook: what whoever pushes reads, and what the server keeps."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from fakes.daemon import Daemon
from fakes.git import ENVIRONMENT, Repository
from fakes.hello import PIPELINE, PROJECT, hello_world
from fakes.http_git import served_over_http
from fakes.ssh_git import served_over_ssh

FILE = f"{PROJECT}/workflows/rollout-pipeline.yaml"
GOOD = "steps:\n- type: change\n  name: Back up\n  target: {target}\n  action: backup\n".format(
    target="/projects/hello_world/environments/dev/assets/managed_server"
)
BAD = GOOD.replace("action: backup", "action: bakup")


@dataclass
class World:
    """A server with the hook, and a clone that pushes to it by a URL."""

    server: Repository
    clone: Repository
    variables: dict[str, str] = field(default_factory=dict)

    def push(self, *refs: str) -> tuple[int, str]:
        """The exit code of `git push`, and what the terminal shows."""
        done = subprocess.run(
            ["git", "push", "origin", *refs],
            cwd=self.clone.path,
            env={**ENVIRONMENT, **self.variables},
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stderr

    def refs(self) -> str:
        """All refs of the server with their objects."""
        return self.server.git("for-each-ref")


def hook(*words: str) -> str:
    """What `pointsman hook` prints."""
    command = [sys.executable, "-m", "pointsman", "hook", *words]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture(params=["http", "ssh"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """The seed's project behind a real server."""
    server = hello_world(tmp_path / "git" / "ops.git")
    hook("install", str(server.path))
    with ExitStack() as open_:
        variables: dict[str, str] = {}
        if request.param == "http":
            url = open_.enter_context(served_over_http(server.path.parent)) + "/ops.git"
        else:
            start, variables = open_.enter_context(served_over_ssh(tmp_path / "sshd"))
            url = f"{start}{server.path}"
        clone = Repository.clone(server, tmp_path / "clone")
        clone.git("remote", "set-url", "origin", url)
        yield World(server, clone, variables)


@pytest.fixture
def near(tmp_path: Path) -> World:
    """The same without a server between."""
    server = hello_world(tmp_path / "ops.git")
    hook("install", str(server.path))
    return World(server, Repository.clone(server, tmp_path / "clone"))


def test_an_invalid_tag_is_refused_in_the_words_of_validate(world: World) -> None:
    """`R20`, hostile 60: nothing of the push stays, also not of its branch; what was in quarantine is gone."""
    before = world.refs()
    bad = world.clone.commit({FILE: BAD})
    world.clone.tag("v1")

    code, terminal = world.push("main", "v1")

    assert code != 0
    told = subprocess.run(
        [sys.executable, "-m", "pointsman", "validate", "v1"],
        cwd=world.clone.path,
        capture_output=True,
        text=True,
        check=False,
    )
    lines = [line.removeprefix("remote: ").rstrip() for line in terminal.splitlines() if line.startswith("remote: ")]
    assert told.stdout.splitlines() == lines[: len(told.stdout.splitlines())]
    assert f"{FILE}:5:11: error[PM031]: " in terminal
    assert "remote: hint: did you mean backup?" in terminal
    assert "remote: error: tag v1 is refused; invalid: hello_world/rollout-pipeline" in terminal
    assert "\x1b" not in terminal
    assert world.refs() == before
    assert not world.server.git("cat-file", "-t", bad, check=False)


def test_a_valid_tag_is_accepted_and_the_daemon_lists_it(world: World, tmp_path: Path) -> None:
    """Moments later; no time is asserted. A refused one is never seen by it."""
    daemon = Daemon(world.server.path, tmp_path / "data").start()
    try:
        world.clone.commit({FILE: BAD})
        world.clone.tag("v1")
        refused, _ = world.push("main", "v1")
        world.clone.commit({FILE: GOOD})
        world.clone.tag("v2")

        accepted, terminal = world.push("main", "v2")

        def listed() -> bool:
            found = {item["path"]: item for item in daemon.get("workflows")["items"]}
            return [one["tag"] for one in found[PIPELINE]["versions"]] == ["v2"]

        daemon.until(listed, "the version in the list")
    finally:
        daemon.stop()
    assert refused != 0
    assert accepted == 0, terminal
    assert "remote: tag v2: " in terminal


def test_a_published_tag_that_moves_or_vanishes_is_refused(world: World) -> None:
    """`R25`, hostile 29 and 30."""
    world.clone.tag("v1")
    assert world.push("v1")[0] == 0
    before = world.refs()
    world.clone.delete_tag("v1")
    world.clone.commit({FILE: GOOD})
    world.clone.tag("v1")

    moved, of_moved = world.push("--force", "v1")
    deleted, of_deleted = world.push(":v1")

    assert moved != 0
    assert "remote: error: tag v1 is a published version, which never moves" in of_moved
    assert deleted != 0
    assert "remote: error: tag v1 is a published version, which never vanishes" in of_deleted
    assert world.refs() == before


def test_an_invalid_draft_is_warned_about_and_with_branches_refused(near: World) -> None:
    """A branch drafts; the hook can be told to keep even that clean."""
    near.clone.commit({FILE: BAD})
    code, terminal = near.push("main")
    assert code == 0
    assert f"{FILE}:5:11: error[PM031]" in terminal
    assert "remote: warning: the draft on branch main is invalid" in terminal

    hook("install", str(near.server.path), "--branches")
    near.clone.commit({"more": "x"})
    code, terminal = near.push("main")

    assert code != 0
    assert "remote: error: branch main is refused: its draft is invalid" in terminal


def test_a_broken_hook_refuses_versions_and_lets_drafts_pass(near: World) -> None:
    """Its interpreter was moved away by an upgrade, say. Nothing wrong gets published meanwhile."""
    file = near.server.path / "hooks/pre-receive"
    file.write_text(file.read_text("utf-8").replace(sys.executable, "/nowhere/python"), "utf-8")
    near.clone.commit({"more": "x"})
    near.clone.tag("v1")
    near.clone.tag("hello_world/rollout-pipeline/v1")
    near.clone.tag("nightly")

    for tag in ("v1", "hello_world/rollout-pipeline/v1"):
        code, terminal = near.push(tag)
        assert code != 0
        assert "remote: error: the pre-receive hook of Pointsman is broken, so no version tag is accepted" in terminal
    code, terminal = near.push("main", "nightly")

    assert code == 0
    assert "remote: warning: the pre-receive hook of Pointsman is broken" in terminal


def test_names_of_refs_are_never_commands(near: World) -> None:
    """Hostile 48: all of these are names that Git takes."""
    names = ["v1;id>ran", "$(id>ran)", "`id>ran`", "v1'\"x", "-rf"]
    for name in names:
        near.server.git("check-ref-format", f"refs/tags/{name}")
        near.clone.write_ref(f"refs/tags/{name}", near.clone.head())

    code, terminal = near.push(*(f"refs/tags/{name}:refs/tags/{name}" for name in names), "main:refs/heads/$(id>ran)")

    assert code == 0, terminal
    assert not list(near.server.path.parent.rglob("ran"))


def test_the_hook_reads_what_the_repository_borrows(near: World, tmp_path: Path) -> None:
    """Objects in an alternate of an alternate, which is relative, as on servers with forks."""
    bare = tmp_path / "fork.git"
    near.server.git("clone", "--quiet", "--bare", "--shared", str(near.server.path), str(bare))
    (bare / "objects/info/alternates").write_text("../../ops.git/objects\n", "utf-8")
    again = tmp_path / "fork of fork.git"
    near.server.git("clone", "--quiet", "--bare", "--shared", str(bare), str(again))
    (again / "objects/info/alternates").write_text("../../fork.git/objects\n", "utf-8")
    hook("install", str(again))
    near.clone.git("remote", "set-url", "origin", str(again))
    near.clone.tag("v1")

    code, terminal = near.push("v1")

    assert (code, "can be published" in terminal) == (0, True), terminal


def test_the_hook_is_installed_once_and_leaves_another_alone(near: World, tmp_path: Path) -> None:
    """Doing it again changes nothing; a `pre-receive.d` is used where a server has one; hooks elsewhere are said."""
    file = near.server.path / "hooks/pre-receive"
    assert hook("install", str(near.server.path)) == str(file)
    assert os.access(file, os.X_OK)
    hook("uninstall", str(near.server.path))
    assert not file.exists()

    file.write_text("#!/bin/sh\n", "utf-8")
    command = [sys.executable, "-m", "pointsman", "hook", "install", str(near.server.path)]
    refused = subprocess.run(command, capture_output=True, text=True, check=False)
    assert refused.returncode == 7
    assert "not written by Pointsman" in refused.stderr
    assert "--force" in refused.stderr
    assert file.read_text("utf-8") == "#!/bin/sh\n"
    (near.server.path / "hooks/pre-receive.d").mkdir()
    assert hook("install", str(near.server.path)) == str(near.server.path / "hooks/pre-receive.d/pointsman")
    assert hook("install", str(near.clone.path), "--root", "ops") == str(near.clone.path / ".git/hooks/pre-receive")

    near.clone.git("config", "core.hooksPath", str(tmp_path))
    elsewhere = subprocess.run([*command[:-1], str(near.clone.path)], capture_output=True, text=True, check=False)
    assert elsewhere.returncode == 7
    assert "core.hooksPath" in elsewhere.stderr
