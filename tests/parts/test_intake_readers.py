"""The reader processes: hostile content is read in them, and they may break without anybody noticing."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from itertools import pairwise
from pathlib import Path

import pytest

from fakes.git import Repository
from fakes.sources import DEV, files_of, repository
from pointsman.intake.readers import Readers
from pointsman.intake.reading import PlanQuestion, Reading
from pointsman.model.problem import Code, Invalid, NotFound
from pointsman.model.wire import to_json

GOOD = f"steps: [{{target: {DEV}, action: check}}]"
DEPLOY = "/projects/p/workflows/deploy"
Story = Callable[[Readers], Awaitable[None]]


@pytest.fixture
def made(tmp_path: Path) -> Repository:
    """A repository with one good workflow."""
    return repository(tmp_path / "ops.git", deploy=GOOD)


@asynccontextmanager
async def readers_of(made: Repository, *, cpu_seconds: int = 8) -> AsyncIterator[Readers]:
    """Readers of a repository, ended afterwards."""
    readers = Readers(made.path, "", made.path.parent / "data", cpu_seconds=cpu_seconds)
    try:
        yield readers
    finally:
        await readers.close()


def told(made: Repository, story: Story, *, cpu_seconds: int = 8) -> None:
    """Let a story happen to readers of a repository."""

    async def happen() -> None:
        async with readers_of(made, cpu_seconds=cpu_seconds) as readers:
            await story(readers)

    asyncio.run(happen())


def idle(readers: Readers) -> list[int]:
    """The process ids of the readers that wait for questions."""
    return [process._process.pid for process in readers._idle if process._process is not None]


async def asked(readers: Readers) -> None:
    """Wait until no reader is idle: the only one has its question."""
    while idle(readers):  # noqa: ASYNC110 - one turn of the loop, and nobody tells
        await asyncio.sleep(0)


def of_process(pid: int) -> tuple[list[str], list[str]]:
    """The names in the environment of a process, and the files that it has open."""
    place = Path(f"/proc/{pid}")
    environment = (place / "environ").read_bytes().decode().split("\0")
    files = [str(one.readlink()) for one in (place / "fd").iterdir()]
    return sorted(one.split("=")[0] for one in environment if one), files


def heavy(made: Repository) -> str:
    """A commit on a branch of its own: every file is within its limits, all together take many seconds to read."""
    steps = "- {type: wait, name: xxxxxxxxxxxxxxxxx}\n" * 3_000
    files = {f"w{number}": f"# {number}\nsteps:\n{steps}" for number in range(40)}
    return made.commit(files_of(**files), branch="heavy")


def test_answers_are_those_of_the_same_code_in_this_process(made: Repository) -> None:
    """DESIGN section 4: canonical JSON comes over the pipe, and nothing is lost on the way."""
    question = PlanQuestion(workflow=DEPLOY, inventory=made.head())
    here = Reading(made.path)

    async def story(readers: Readers) -> None:
        row = (DEPLOY, "1", made.head(), "v1")
        readers.ledger.append(row)
        planned = await readers.plan(question)
        assert planned.plan is not None
        assert to_json(await readers.verdict(made.head(), publishes={})) == to_json(here.judge(made.head()))
        assert await readers.inventory(made.head()) == here.inventory(made.head())
        assert planned.plan.pinned[0].tag == "v1"
        assert await readers.resolve("main") == made.head()

    told(made, story)


def test_an_error_comes_over_as_itself_and_the_reader_lives_on(made: Repository) -> None:
    """DESIGN section 5: problems and hints with it."""
    broken = made.commit(files_of(deploy="steps: ["), branch="broken")

    async def story(readers: Readers) -> None:
        with pytest.raises(NotFound, match="there is no branch, tag or commit 'mian'") as missing:
            await readers.resolve("mian")
        assert missing.value.hint == "did you mean 'main'?"
        first = idle(readers)
        with pytest.raises(Invalid) as invalid:
            await readers.plan(PlanQuestion(workflow=DEPLOY, inventory=broken, draft=broken))
        assert [one.code for one in invalid.value.problems] == [Code.SYNTAX]
        assert idle(readers) == first

    told(made, story)


def test_a_reader_sees_no_secret_of_the_daemon(made: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    """DESIGN section 4: not in its environment, not by an open file."""
    monkeypatch.setenv("POINTSMAN_AUTH__LDAP__BIND_PASSWORD", "hunter2")
    secret = (made.path.parent / "secret").open("w+")
    os.set_inheritable(secret.fileno(), True)

    async def story(readers: Readers) -> None:
        await readers.resolve("main")
        (pid,) = idle(readers)
        names, files = of_process(pid)
        assert names == ["GIT_NO_REPLACE_OBJECTS", "HOME", "LANG"]
        assert not [name for name in files if name.endswith("secret")]

    with secret:
        told(made, story)


def test_a_reader_that_dies_between_questions_is_replaced(made: Repository) -> None:
    """DESIGN section 4: the question is tried once more, in a fresh process."""

    async def story(readers: Readers) -> None:
        await readers.resolve("main")
        (first,) = idle(readers)
        os.kill(first, signal.SIGKILL)
        assert (await readers.verdict(made.head())).valid
        assert idle(readers) != [first]

    told(made, story)


def test_a_reader_that_dies_in_the_middle_of_a_question_is_replaced(made: Repository) -> None:
    """DESIGN section 4: it is stopped until the question is on its way, and then killed."""

    async def story(readers: Readers) -> None:
        await readers.resolve("main")
        (first,) = idle(readers)
        os.kill(first, signal.SIGSTOP)
        asking = asyncio.create_task(readers.verdict(made.head()))
        await asked(readers)
        os.kill(first, signal.SIGKILL)
        assert (await asking).valid

    told(made, story)


def test_a_ref_that_takes_too_much_time_is_invalid_and_the_next_question_works(made: Repository) -> None:
    """DESIGN section 4: tried once more, alone; the kernel ends the reader at its limit of processor time."""
    hostile = heavy(made)

    async def story(readers: Readers) -> None:
        found = await readers.verdict(hostile)
        assert [(one.code, one.says) for one in found.problems] == [
            (Code.READER_LIMIT, "the reader hit its limit: it took too much processor time")
        ]
        assert found.workflows == {}
        assert (await readers.verdict(made.head())).valid

    told(made, story, cpu_seconds=1)


def test_a_heavy_ref_does_not_hold_up_questions_about_others(made: Repository) -> None:
    """DESIGN section 4: there is more than one reader."""
    hostile = heavy(made)

    async def story(readers: Readers) -> None:
        judging = asyncio.create_task(readers.verdict(hostile))
        await asyncio.sleep(0)
        assert (await readers.verdict(made.head())).valid
        assert not judging.done()
        await judging

    told(made, story, cpu_seconds=1)


def test_a_question_that_is_given_up_leaves_no_half_answer_behind(made: Repository) -> None:
    """DESIGN section 4: the reader of a cancelled question is not asked again."""

    async def story(readers: Readers) -> None:
        await readers.resolve("main")
        (first,) = idle(readers)
        os.kill(first, signal.SIGSTOP)
        asking = asyncio.create_task(readers.verdict(made.head()))
        await asked(readers)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        assert await readers.resolve("main") == made.head()
        assert idle(readers) != [first]

    told(made, story)


def test_readers_end_with_the_daemon(made: Repository) -> None:
    """DESIGN section 4: their input ends, and so do they."""
    pids: list[int] = []

    async def story(readers: Readers) -> None:
        await asyncio.gather(readers.resolve("main"), readers.resolve("main"))
        pids.extend(idle(readers))

    told(made, story)

    assert len(pids) == 2
    assert not [pid for pid in pids if Path(f"/proc/{pid}").exists()]


def test_a_version_that_appears_is_known_to_every_reader(made: Repository) -> None:
    """`R22`: those that were idle when it was entered, and those that start later."""
    question = PlanQuestion(workflow=DEPLOY, inventory=made.head())

    async def story(readers: Readers) -> None:
        await asyncio.gather(readers.resolve("main"), readers.resolve("main"))
        readers.ledger.append((DEPLOY, "2", made.head(), "v2"))
        for planned in await asyncio.gather(readers.plan(question), readers.plan(question)):
            assert planned.plan is not None
            assert planned.plan.version == "2"

    told(made, story)


def test_refs_are_told_once_whichever_reader_is_asked(made: Repository) -> None:
    """DESIGN section 3: a push must not be missed because another reader saw the one before."""

    async def asked_alone(readers: Readers, number: int) -> list[str] | None:
        """The branches, from the reader at this place of the pool; None if nothing is new."""
        aside = [process for place, process in enumerate(readers._idle) if place != number]
        readers._idle[:] = [readers._idle[number]]
        refs = await readers.refs()
        readers._idle[number:number] = aside[number:]
        readers._idle[:0] = aside[:number]
        return None if refs is None else sorted(refs["branches"])

    async def story(readers: Readers) -> None:
        await asyncio.gather(readers.resolve("main"), readers.resolve("main"))
        seen = []
        for branch, number in (("a", 0), ("a", 1), ("b", 0), ("c", 1), ("c", 0), ("d", 1)):
            made.write_ref(f"refs/heads/{branch}", made.head())
            seen.append(await asked_alone(readers, number))
        assert seen == [
            ["a", "main"],
            None,
            ["a", "b", "main"],
            ["a", "b", "c", "main"],
            None,
            ["a", "b", "c", "d", "main"],
        ]

    told(made, story)


@pytest.mark.parametrize("place", [0.1, 0.3, 0.5, 0.7, 0.9])
def test_a_damaged_pack_is_a_verdict_or_an_error_and_never_the_end(made: Repository, place: float) -> None:
    """DESIGN section 4: bytes of it are flipped under the readers' eyes."""
    made.git("repack", "-a", "-d", "-q")
    (pack,) = (made.path / "objects" / "pack").glob("*.pack")
    good = made.head()

    async def story(readers: Readers) -> None:
        pack.chmod(0o600)
        data = bytearray(pack.read_bytes())
        start = 12 + int((len(data) - 40) * place)
        for at in range(start, min(start + 12, len(data) - 20)):
            data[at] ^= 0xFF
        pack.write_bytes(data)
        found = await readers.verdict(good)
        assert found.valid or found.problems
        with suppress(Invalid):
            await readers.inventory(good)
        assert len(idle(readers)) == 1

    told(made, story)


def test_the_folder_of_a_template_is_written_once_and_whole(made: Repository) -> None:
    """DESIGN section 2: from Git's objects, with its modes; a second wish finds it there."""
    tree = str(made.opened.revparse_single("main:templates/server").id)

    async def story(readers: Readers) -> None:
        await asyncio.gather(readers.export(tree), readers.export(tree))
        await readers.export(tree)

    told(made, story)

    folder = made.path.parent / "data" / "bundles"
    assert [one.name for one in folder.iterdir()] == [tree]
    assert sorted((one.name, bool(one.stat().st_mode & 0o100)) for one in (folder / tree).iterdir()) == [
        ("act.sh", True),
        ("template.yaml", False),
    ]


def alias_bomb() -> str:
    """Nine levels of ten aliases."""
    levels = (f"{one}: &{one} [{', '.join([f'*{below}'] * 10)}]" for below, one in pairwise("abcdefghij"))
    return "\n".join(("a: &a [x, x]", *levels))


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (alias_bomb(), Code.TOO_LARGE),
        (f"steps: {'[' * 50_000}", Code.TOO_LARGE),
        ("steps:\n" + "- {type: wait}\n" * 17_000, Code.TOO_LARGE),
        ("# x\n" * 70_000, Code.TOO_LARGE),
        ("steps: [{type: wait, name: '%s'}]" % ("x" * 250_000), None),
    ],
)  # fmt: skip
def test_a_file_that_would_be_slow_or_large_is_refused_by_its_own_limits(
    made: Repository, text: str, code: Code | None
) -> None:
    """`R14`, hostile.md 3.1: long before those of the reader, which goes on."""
    commit = made.commit(files_of(deploy=text))

    async def story(readers: Readers) -> None:
        await readers.resolve("main")
        before = idle(readers)
        found = await readers.verdict(commit)
        assert [one.code for one in found.problems] == ([code] if code else [])
        assert idle(readers) == before

    told(made, story, cpu_seconds=2)


def test_questions_beside_it_do_not_make_a_large_repository_begin_again(made: Repository) -> None:
    """A share of the workflows stays with the reader that remembers it, although others are asked in between."""
    commits = [made.commit(files_of(**{f"w{number}": GOOD for number in range(8)}))]
    commits += [made.commit(files_of(w0=f"# {number}\n{GOOD}")) for number in range(4)]

    async def story() -> None:
        readers = Readers(made.path, "", made.path.parent / "data", most_looked_at=2)
        await readers.verdict(commits[0])
        before = {process.share: process for process in readers._idle}
        assert set(before) == {(0, 2), (1, 2)}
        others = [asyncio.create_task(readers.facts(commit)) for commit in commits * 3]
        for found in await asyncio.gather(*(readers.verdict(commit) for commit in commits)):
            assert (len(found.workflows), found.problems) == (9, ())
        await asyncio.gather(*others)
        assert {process.share: process for process in readers._idle} == before
        await readers.close()

    asyncio.run(story())
