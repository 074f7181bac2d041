"""A mirror, fetched by real git from repositories that are good, hostile, or away."""

import asyncio
import os
import stat
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from fakes.git import Repository
from pointsman.model.problem import NotFound, Unavailable
from pointsman.repo import mirror as mirrors
from pointsman.repo.mirror import Mirror
from pointsman.repo.opening import open_repository
from pointsman.repo.refs import RefSnapshot, read_refs
from pointsman.repo.remote import remote_from

FAST = 0.01


@pytest.fixture
def remote(tmp_path: Path) -> Repository:
    """A bare repository with one commit on `main`, tagged `v1`."""
    made = Repository.create(tmp_path / "remote.git", bare=True)
    made.commit({"projects/p/project.yaml": "name: P\n"})
    made.tag("v1")
    return made


def mirror_of(remote: Repository, url: str = "", **environ: str) -> Mirror:
    """A mirror beside the remote, ready to be fetched into."""
    folder = remote.path.parent / "mirror.git"
    made = Mirror(remote_from(url or f"file://{remote.path}"), folder, {"PATH": os.environ["PATH"], **environ})
    made.prepare()
    return made


def fetched(mirror: Mirror) -> RefSnapshot:
    """The refs of the mirror after a fetch."""
    asyncio.run(mirror.fetch())
    return refs(mirror)


def refs(mirror: Mirror) -> RefSnapshot:
    """The refs of the mirror as they are."""
    return read_refs(open_repository(mirror.folder))


def bad_commit(of: Repository, branch: str) -> str:
    """The commit of a branch whose tree holds what git refuses when it checks objects."""
    git_folder = of.write_tree(("100644", b"config", of.write_blob()))
    return of.commit_tree(of.write_tree(("40000", b".git", git_folder)), branch)


def script(folder: Path, text: str) -> str:
    """A program that does this."""
    path = folder / "program"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def test_branches_and_tags_follow_the_remote(remote: Repository) -> None:
    """Created, moved, deleted, and a folder in the place of a branch; nothing else is fetched."""
    mirror = mirror_of(remote)
    remote.git("branch", "team")
    remote.git("update-ref", "refs/pull/1/head", remote.head())
    before = fetched(mirror)
    assert before.branches == {"main": remote.head(), "team": remote.head()}
    assert before.tags["v1"].commit == remote.head()

    remote.git("branch", "-D", "team")
    remote.git("branch", "team/a")
    remote.delete_tag("v1")
    remote.tag("v2", remote.commit({"a": "1"}))
    after = fetched(mirror)

    assert set(after.branches) == {"main", "team/a"}
    assert set(after.tags) == {"v2"}
    assert after == read_refs(remote.opened)
    assert "refs/pull" not in Repository(mirror.folder).git("for-each-ref")


def test_what_was_rewritten_is_followed(remote: Repository) -> None:
    """It is for the ledger to say that a tag was moved, not for the mirror to hide it."""
    mirror = mirror_of(remote)
    fetched(mirror)
    remote.git("update-ref", "refs/heads/main", remote.git("commit-tree", "-m", "other", f"{remote.head()}^{{tree}}"))
    remote.git("tag", "-f", "-m", "again", "v1", "main")

    assert fetched(mirror) == read_refs(remote.opened)


def test_a_ref_with_hostile_objects_hides_no_other_and_is_named(remote: Repository) -> None:
    """Hostile 38: git checks what it fetches, and the branch comes once it is put right."""
    mirror = mirror_of(remote)
    bad_commit(remote, "evil")
    remote.git("tag", "evil-tag", "evil")
    for number in range(5):
        remote.git("branch", f"good{number}")

    found = fetched(mirror)

    assert set(found.branches) == {"main", *(f"good{number}" for number in range(5))}
    assert set(found.tags) == {"v1"}
    assert set(mirror.unusable) == {"refs/heads/evil", "refs/tags/evil-tag"}
    assert all("cannot be fetched" in says and ".git" in says for says in mirror.unusable.values())

    remote.git("branch", "-f", "evil", "main")
    remote.delete_tag("evil-tag")
    assert "evil" in fetched(mirror).branches
    assert mirror.unusable == {}


def test_a_branch_that_turns_bad_stays_where_it_was(remote: Repository) -> None:
    """Hostile 38."""
    mirror = mirror_of(remote)
    before = fetched(mirror).branches["main"]
    bad_commit(remote, "main")
    remote.tag("v2", before)

    found = fetched(mirror)

    assert found.branches == {"main": before}
    assert set(found.tags) == {"v1", "v2"}
    assert "stays where it was" in mirror.unusable["refs/heads/main"]


def test_one_bad_ref_among_very_many_is_found(remote: Repository) -> None:
    """They are fetched all together first, then some hundreds at a time."""
    bad_commit(remote, "evil")
    lines = "".join(f"create refs/tags/t{number} {remote.head()}\n" for number in range(1200))
    remote.git("update-ref", "--stdin", stdin=lines.encode())
    mirror = mirror_of(remote)

    found = fetched(mirror)

    assert len(found.other_tags) == 1200
    assert not found.targets.loose
    assert set(mirror.unusable) == {"refs/heads/evil"}


def test_a_ref_whose_name_git_would_not_take_is_named(remote: Repository) -> None:
    """Hostile 47: it is not asked for."""
    (remote.path / "packed-refs").write_text(f"{remote.head()} refs/tags/bad\u202ename\n", "utf-8")
    mirror = mirror_of(remote)

    assert set(fetched(mirror).tags) == {"v1"}
    assert mirror.unusable == {"refs/tags/bad\\u202ename": "its name is not one that Git allows"}


def test_submodules_are_never_fetched(remote: Repository, tmp_path: Path) -> None:
    """Hostile 43."""
    text = f'[submodule "m"]\n\tpath = m\n\turl = ext::sh -c "touch {tmp_path}/ran"\n'
    modules = remote.write_blob(text.encode())
    remote.commit_tree(
        remote.write_tree(("100644", b".gitmodules", modules), ("160000", b"m", remote.head())), "submodule"
    )
    mirror = mirror_of(remote, GIT_CONFIG_GLOBAL=_config(tmp_path, "[submodule]\nrecurse = true\n"))

    fetched(mirror)

    assert not (tmp_path / "ran").exists()
    assert not (mirror.folder / "modules").exists()


def _config(folder: Path, text: str) -> str:
    path = folder / "gitconfig"
    path.write_text(text)
    return str(path)


def test_hooks_and_the_daemons_git_variables_have_no_effect(remote: Repository, tmp_path: Path) -> None:
    """What is passed on is named in one place."""
    mirror = mirror_of(remote, GIT_TRACE=str(tmp_path / "traced"), GIT_OBJECT_DIRECTORY=str(tmp_path / "objects"))
    hook = mirror.folder / "hooks/reference-transaction"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    hook.chmod(0o755)

    assert fetched(mirror).branches

    assert not {"ran", "traced", "objects"} & {path.name for path in tmp_path.iterdir()}


def test_a_remote_that_is_away_changes_nothing_and_is_told(remote: Repository) -> None:
    """R25: it must not look as if everything had been deleted."""
    mirror = mirror_of(remote)
    before = fetched(mirror)
    away = remote.path.with_suffix(".away")
    remote.path.rename(away)

    with pytest.raises(Unavailable, match="does not appear to be a git repository"):
        asyncio.run(mirror.fetch())
    assert refs(mirror) == before

    away.rename(remote.path)
    assert fetched(mirror) == before


def test_ssh_is_what_the_operator_says(remote: Repository, tmp_path: Path) -> None:
    """GIT_SSH_COMMAND and SSH_AUTH_SOCK are passed on, and nothing asks questions on a terminal."""
    ssh = script(tmp_path, f'env > {tmp_path}/seen; exec sh -c "$(echo "$2" | sed "s#/ops.git#{remote.path}#")"')
    mirror = mirror_of(remote, "git@host:/ops.git", GIT_SSH_COMMAND=ssh, SSH_AUTH_SOCK="/agent", SECRET="x")

    assert fetched(mirror).branches == {"main": remote.head()}

    seen = dict(line.partition("=")[::2] for line in (tmp_path / "seen").read_text().splitlines())
    assert (seen["SSH_AUTH_SOCK"], seen["GIT_TERMINAL_PROMPT"]) == ("/agent", "0")
    assert "SECRET" not in seen


def test_a_host_that_does_not_answer_is_given_up(
    remote: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And nothing of git runs on."""
    monkeypatch.setattr(mirrors, "LIST_SECONDS", 0.3)
    ssh = script(tmp_path, f"echo $$ > {tmp_path}/pid; exec sleep 60")
    mirror = mirror_of(remote, "git@host:ops.git", GIT_SSH_COMMAND=ssh)

    with pytest.raises(Unavailable, match="more than 0 s"):
        asyncio.run(mirror.fetch())

    assert _ends(int((tmp_path / "pid").read_text()))


def _ends(process: int, within: float = 20.0) -> bool:
    """Whether a process that was killed is gone in time."""
    end = time.monotonic() + within
    while time.monotonic() < end:
        try:
            if Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except FileNotFoundError:
            return True
        time.sleep(FAST)
    return False


def test_messages_do_not_repeat_a_token(remote: Repository) -> None:
    """Hostile 56: nor does git, which repeats the URL in pieces."""
    mirror = mirror_of(remote, "http://ghp_secret@127.0.0.1:1/ops.git")

    with pytest.raises(Unavailable) as away:
        asyncio.run(mirror.fetch())

    assert "127.0.0.1" in away.value.says
    assert "ghp_secret" not in f"{away.value.says} {away.value.hint}"


def test_what_a_killed_git_leaves_behind_stops_nothing(remote: Repository) -> None:
    """Locks, and packs that were never finished."""
    mirror = mirror_of(remote)
    fetched(mirror)
    left = [mirror.folder / name for name in ("refs/heads/main.lock", "packed-refs.lock", "objects/pack/tmp_pack_x")]
    for file in left:
        file.write_text("half")
    remote.commit({"a": "1"})

    assert fetched(mirror_of(remote)).branches == {"main": remote.head()}
    assert not any(file.exists() for file in left)


def test_without_git_a_url_is_refused_with_a_sentence(remote: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")

    with pytest.raises(NotFound, match="needs the git program"):
        mirror_of(remote)


def rounds(mirror: Mirror, story: Callable[[Callable[[], Awaitable[None]]], Awaitable[None]]) -> None:
    """Tell a story to which the mirror gives its rounds one at a time."""

    async def told() -> None:
        changes = mirror.rounds(poll_seconds=FAST)

        async def next_round() -> None:
            async with asyncio.timeout(30):
                await anext(changes)

        await story(next_round)
        await changes.aclose()  # type: ignore[attr-defined]  # it is a generator

    asyncio.run(told())


def test_nothing_is_looked_at_before_everything_was_fetched_once(remote: Repository) -> None:
    """R25: what was not fetched yet would look deleted; so would all of another remote."""
    mirror = mirror_of(remote)
    away = remote.path.with_suffix(".away")
    remote.path.rename(away)

    async def story(next_round: Callable[[], Awaitable[None]]) -> None:
        first = asyncio.ensure_future(next_round())
        while not mirror.trouble:  # noqa: ASYNC110 - a mirror tells nobody of a fetch that failed
            await asyncio.sleep(FAST)
        assert not first.done()
        away.rename(remote.path)
        mirror.wake()
        await first
        assert not mirror.trouble

    rounds(mirror, story)
    assert refs(mirror).branches


def test_what_was_fetched_earlier_is_good_to_go_on_while_the_remote_is_away(remote: Repository) -> None:
    """And `trouble` says what is wrong, until it is fetched again."""
    fetched(mirror_of(remote))
    away = remote.path.with_suffix(".away")
    remote.path.rename(away)
    mirror = mirror_of(remote)

    async def story(next_round: Callable[[], Awaitable[None]]) -> None:
        await next_round()
        assert not mirror.trouble  # nothing was tried yet
        await next_round()
        assert "cannot be fetched" in mirror.trouble
        away.rename(remote.path)
        while mirror.trouble:
            await next_round()

    rounds(mirror, story)


def test_a_mirror_that_wakes_fetches_at_once(remote: Repository) -> None:
    mirror = mirror_of(remote)

    async def story(next_round: Callable[[], Awaitable[None]]) -> None:
        await next_round()
        remote.commit({"a": "1"})
        mirror.wake()
        while refs(mirror).branches["main"] != remote.head():
            await next_round()

    rounds(mirror, story)
