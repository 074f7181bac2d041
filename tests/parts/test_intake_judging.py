"""What is remembered of verdicts: never believed once anything has changed, and no work where nothing has."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import pygit2
import pytest

from fakes.git import Repository
from fakes.sources import DEV, files_of, repository
from pointsman.intake import definitions
from pointsman.intake.judging import Share
from pointsman.intake.reader import Reader
from pointsman.intake.readers import Readers
from pointsman.intake.reading import Reading
from pointsman.intake.verdict import Verdict
from pointsman.load.assemble import read_workflow
from pointsman.load.translate import WorkflowTranslation
from pointsman.model.plan import PinnedWorkflow
from pointsman.model.problem import Code
from pointsman.model.source import Source

GOOD = f"steps: [{{target: {DEV}, action: check}}]"
TWO = f"steps: [{{target: {DEV}, action: check}}, {{type: wait}}]"
BROKEN = "steps: [{target: ]"
APPROVAL = "steps: [{type: wait, requires_approval_from: {user_names: [ann]}}]"
AT_TAG = f"steps: [{{target: {DEV}, action: check, template_version: server-1}}]"
TEMPLATE = "templates/server/template.yaml"
ASSET = "projects/p/environments/dev/assets/web.yaml"
HERE = "/projects/p/workflows/"


def call(code: str, more: str = "") -> str:
    """A workflow that calls another."""
    return f"steps: [{{type: workflow, target: {HERE}{code}{more}}}]"


class World:
    """A repository with one reading of it, which is asked for the verdict again and again."""

    def __init__(self, folder: Path, **workflows: str) -> None:
        self.made = repository(folder / "ops.git", None, **workflows)
        self.reading = Reading(self.made.path)
        self.rows: list[PinnedWorkflow] = []
        self.users: tuple[str, ...] | None = None
        self.publishes: Mapping[str, str] = {}

    def push(self, files: Mapping[str, str | None] | None = None, **workflows: str | None) -> str:
        """The commit of files and workflows; None takes one away."""
        written = {f"projects/p/workflows/{code}.yaml": text for code, text in workflows.items()}
        return self.made.commit({**(files or {}), **written})

    def release(self, code: str, version: str) -> None:
        """The head has this version of a workflow."""
        row = PinnedWorkflow(path=f"{HERE}{code}", version=version, commit=self.made.head(), tag=f"p/{code}/v{version}")
        self.rows.append(row)
        self.reading.published.add(row)

    def tag_server(self) -> None:
        """The tag that template versions name is on the head now."""
        if "refs/tags/server-1" in self.made.opened.references:
            self.made.delete_tag("server-1")
        self.made.tag("server-1")

    def verdict(self, reading: Reading | None = None) -> Verdict:
        """What is thought of the head, by who has seen all of it if nobody else is asked."""
        return (reading or self.reading).judge(self.made.head(), self.publishes, self.users)

    def fresh(self) -> Verdict:
        """What somebody thinks who has seen nothing."""
        reading = Reading(self.made.path)
        for row in self.rows:
            reading.published.add(row)
        return self.verdict(reading)


def _link(world: World) -> None:
    blob = world.made.write_blob(GOOD.encode())
    _replaced(world.made, "projects/p/workflows", ("120000", b"a.yaml", blob))


def _replaced(made: Repository, folder: str, *entries: tuple[str, bytes, str]) -> str:
    """The commit of the head's tree with these entries in one of its folders, unchecked."""
    known = {
        entry.name.encode(): (f"{entry.filemode:o}", entry.name.encode(), str(entry.id))
        for entry in made.opened.revparse_single(f"main:{folder}").peel(pygit2.Tree)
        if entry.name
    }
    tree = made.write_tree(*{**known, **{entry[1]: entry for entry in entries}}.values())
    if not folder:
        return made.commit_tree(tree)
    above, _, name = folder.rpartition("/")
    return _replaced(made, above, ("40000", name.encode(), tree))


def _tag_before(world: World) -> None:
    world.tag_server()
    world.verdict()
    world.push({TEMPLATE: "actions: {start: {run: ./act.sh}}\n"})
    world.verdict()
    world.tag_server()


def _people(world: World) -> None:
    world.users = ("bob",)


def _released(world: World) -> None:
    world.publishes = {"*": "1"}


def _latest(world: World) -> None:
    world.push(b=TWO)
    world.release("b", "3")
    world.push(b=GOOD)


def _called_itself(world: World) -> None:
    world.push(a=GOOD)
    world.release("a", "2")
    world.push(a=call("a"))
    world.verdict()
    world.publishes = {f"{HERE}a": "1"}


def _project_without_file(world: World) -> None:
    world.push({"pointsman.yaml": "properties: {env: dev}\n"})
    world.verdict()
    world.push({"projects/q/workflows/a.yaml": "steps: [{name: '{{ env }}', type: wait}]\n"})


def _broken_with_candidate(world: World) -> None:
    world.release("b", "1rc1")
    world.push(b=None)
    world.verdict()
    world.push(b=BROKEN)


CHANGES: Mapping[str, tuple[dict[str, str], Callable[[World], object]]] = {
    "another text": ({"a": GOOD}, lambda world: world.push(a=TWO)),
    "another end of lines": ({"a": f"{GOOD} #\n"}, lambda world: world.push(a=f"{GOOD} \r\r\n- x")),
    "a link with the same bytes": ({"a": GOOD, "b": GOOD}, _link),
    "a folder in its place": (
        {"a": GOOD}, lambda world: [world.push(a=None), world.push({"projects/p/workflows/a.yaml/b": "x"})]
    ),
    "another step in the called draft": ({"a": call("b"), "b": GOOD}, lambda world: world.push(b=TWO)),
    "the called draft is broken": ({"a": call("b"), "b": GOOD}, lambda world: world.push(b=BROKEN)),
    "the called draft calls back": ({"a": call("b"), "b": GOOD}, lambda world: world.push(b=call("a"))),
    "the called draft is gone": ({"a": call("b"), "b": GOOD}, lambda world: world.push(b=None)),
    "the called draft comes": ({"a": call("b")}, lambda world: world.push(b=GOOD)),
    "a workflow of nearly the called name comes": ({"a": call("backpu")}, lambda world: world.push(backup=GOOD)),
    "the called draft is published": ({"a": call("b"), "b": GOOD}, lambda world: world.release("b", "1")),
    "the called draft is published with it": ({"a": call("b"), "b": GOOD}, _released),
    "another version of the called is the latest": ({"a": call("b"), "b": GOOD}, _latest),
    "the called is broken and has a candidate": ({"a": call("b"), "b": GOOD}, _broken_with_candidate),
    "what calls itself is a version": ({"a": call("a")}, _called_itself),
    "another template": ({"a": GOOD}, lambda world: world.push({TEMPLATE: "actions: {start: {run: ./act.sh}}\n"})),
    "another tag for a step's template": ({"a": AT_TAG}, _tag_before),
    "other people": ({"a": APPROVAL}, _people),
    "a project of workflows alone": ({"a": GOOD}, _project_without_file),
    "a project that is closed": ({"a": GOOD}, lambda world: world.push({"projects/p/project.yaml": "x: 1\n"})),
}  # fmt: skip


@pytest.mark.parametrize("what", CHANGES)
def test_nothing_that_is_remembered_outlives_what_it_was_made_of(tmp_path: Path, what: str) -> None:
    """`R15`, `R24`: the verdict after a change is another one, and the one that somebody new would give."""
    workflows, change = CHANGES[what]
    world = World(tmp_path, **workflows)
    world.users = ("ann",)
    before = world.verdict()

    change(world)

    assert world.verdict() == world.fresh()
    assert world.verdict().workflows != before.workflows or world.verdict().others != before.others


def test_a_template_at_a_tag_that_moved_is_another_for_every_asset(tmp_path: Path) -> None:
    """`R100`: an asset's own version is a part of the inventory."""
    world = World(tmp_path, a=GOOD)
    world.tag_server()
    world.push({ASSET: "template: server\ntemplate_version: server-1\n"})
    assert world.verdict().valid

    world.push({TEMPLATE: "actions: {start: {run: ./act.sh}}\n"})
    assert world.verdict() == world.fresh()
    world.tag_server()

    assert world.verdict() == world.fresh()
    assert [one.code for one in world.verdict().workflows[f"{HERE}a"].problems] == [Code.UNKNOWN_ACTION]


def test_a_folder_without_files_makes_another_template_of_one_with_the_same_files(tmp_path: Path) -> None:
    """`R79`: the tree of a template is in the plan's digest, so that two readings must have the same."""
    world = World(tmp_path, a=GOOD)
    world.verdict()
    head = _replaced(world.made, "templates/server", ("40000", b"empty", world.made.write_tree()))

    known, fresh = (one.definitions.at(head).inventory for one in (world.reading, Reading(world.made.path)))
    assert known == fresh


# What it costs


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The workflows whose files were parsed, as they are."""
    found: list[str] = []

    def read(source: Source, path: str) -> WorkflowTranslation:
        found.append(path)
        return read_workflow(source, path)

    monkeypatch.setattr(definitions, "read_workflow", read)
    return found


def many(count: int) -> dict[str, str]:
    """So many workflows that call nothing."""
    return {f"w{number}": f"# {number}\n{GOOD}" for number in range(count)}


def judged(reader: Reader, commit: str, publishes: Mapping[str, str] | None = None) -> Any:
    """What a reader tells of all workflows at a commit."""
    request = {"op": "judge", "commit": commit, "publishes": publishes, "users": None, "share": [0, 1], "most": 1000}
    return reader.answer(request)["ok"]


def test_a_push_that_changes_one_of_300_workflows_costs_one(tmp_path: Path, parsed: list[str]) -> None:
    """Issue 3: one is parsed, one is looked at, and one is told."""
    made = repository(tmp_path / "ops.git", None, **many(300))
    reader = Reader(made.path, "")
    assert len(judged(reader, made.head())["changed"]) == len(parsed) == 300
    parsed.clear()

    told = judged(reader, made.commit(files_of(w7=TWO)))

    assert (list(told["changed"]), told["gone"], parsed) == ([f"{HERE}w7"], [], [f"{HERE}w7"])
    assert reader._reading.judging.looked_at == 301


def test_a_workflow_that_is_gone_is_told_and_nothing_else(tmp_path: Path) -> None:
    """Issue 3."""
    made = repository(tmp_path / "ops.git", None, **many(20))
    reader = Reader(made.path, "")
    judged(reader, made.head())

    told = judged(reader, made.commit({"projects/p/workflows/w7.yaml": None}))

    assert (told["changed"], told["gone"]) == ({}, [f"{HERE}w7"])


def test_a_tag_on_a_tree_that_was_judged_looks_at_nothing(tmp_path: Path, parsed: list[str]) -> None:
    """Issue 3: of workflows that call nothing, the version does not matter."""
    made = repository(tmp_path / "ops.git", None, **many(20), template=AT_TAG)
    reader = Reader(made.path, "")
    judged(reader, made.head())
    parsed.clear()

    told = judged(reader, made.head(), {"*": "1"})

    assert (told["changed"], parsed, reader._reading.judging.looked_at) == ({}, [], 21)


def test_an_inventory_that_changes_is_parsed_without_the_workflows(tmp_path: Path, parsed: list[str]) -> None:
    """Issue 3: all are looked at again, none is read again."""
    made = repository(tmp_path / "ops.git", None, **many(20))
    reader = Reader(made.path, "")
    judged(reader, made.head())
    parsed.clear()

    judged(reader, made.commit({ASSET: "template: server\nproperties: {hostname: other}\n"}))

    assert (parsed, reader._reading.judging.looked_at) == ([], 40)


def test_a_call_of_nothing_does_not_read_every_other_workflow(tmp_path: Path, parsed: list[str]) -> None:
    """`R24`: it is one tag of a workflow that is judged; for the nearest name, names are enough."""
    made = repository(tmp_path / "ops.git", None, **many(20), a=call("gone"))

    found = Reading(made.path).judge(made.head(), {f"{HERE}a": "1"})

    assert [one.code for one in found.problems] == [Code.UNKNOWN_WORKFLOW]
    assert parsed == [f"{HERE}a"]


# Shares


Story = Callable[[Readers], Awaitable[None]]


def shared(made: Repository, story: Story, *, most: int = 3) -> None:
    """Let a story happen to readers that look at so many workflows in one answer."""

    async def happen() -> None:
        readers = Readers(made.path, "", made.path.parent / "data", most_looked_at=most)
        try:
            await story(readers)
        finally:
            await readers.close()

    asyncio.run(happen())


def mixed(count: int) -> dict[str, str]:
    """Workflows of all kinds: good ones, such that call one another, and such that call nothing there is."""
    texts = (GOOD, call("w0"), call("gone"), BROKEN, AT_TAG)
    return {f"w{number}": texts[number % len(texts)] for number in range(count)}


def test_a_repository_that_is_too_much_for_one_answer_is_shared_and_gets_the_same_verdict(tmp_path: Path) -> None:
    """Issue 3: spread over the cores. Workflows that call what is not there are remembered as well, so it ends."""
    made = repository(tmp_path / "ops.git", None, **mixed(30))

    async def story(readers: Readers) -> None:
        for change in ({}, {"w0": TWO}, {"w1": None, "w30": call("w0")}, {"gone": GOOD}):
            files = {f"projects/p/workflows/{code}.yaml": text for code, text in change.items()}
            head = made.commit(files)
            for publishes in ({}, {"*": "1"}, {f"{HERE}w1": "1"}):
                found = await readers.verdict(head, publishes=publishes)
                assert found == Reading(made.path).judge(head, publishes)
        assert {process.share for process in readers._idle} == {(0, 2), (1, 2)}

    shared(made, story)


def test_a_question_about_one_workflow_does_not_make_all_be_told_again(tmp_path: Path) -> None:
    """Issue 3: a tag that publishes one workflow comes with every other push."""
    made = repository(tmp_path / "ops.git", None, **many(10))

    async def story(readers: Readers) -> None:
        first = await readers.verdict(made.head())
        one = await readers.verdict(made.head(), publishes={f"{HERE}w1": "1"})
        again = await readers.verdict(made.head())
        assert list(one.workflows) == [f"{HERE}w1"]
        assert again == first
        assert all(again.workflows[path] is found for path, found in first.workflows.items())

    shared(made, story, most=100)


def test_a_reader_that_dies_with_its_share_is_replaced(tmp_path: Path) -> None:
    """DESIGN section 4: what the other has told stays, and the new one begins again."""
    made = repository(tmp_path / "ops.git", None, **mixed(30))

    async def story(readers: Readers) -> None:
        await readers.verdict(made.head())
        head = made.commit({ASSET: "template: server\nproperties: {hostname: other}\n"})
        victim = next(one._process.pid for one in readers._idle if one._process is not None)
        os.kill(victim, signal.SIGSTOP)
        asking = asyncio.create_task(readers.verdict(head))
        while any(one._process is not None and one._process.pid == victim for one in readers._idle):  # noqa: ASYNC110
            await asyncio.sleep(0)
        os.kill(victim, signal.SIGKILL)
        assert await asking == Reading(made.path).judge(head)

    shared(made, story)


class _NeverEnding(Readers):
    """Readers that begin again with every answer."""

    async def _answered(self, request: dict[str, Any], share: Share | None = None) -> Any:
        answer, process = await super()._answered(request, share)
        answer["rest"]["unfinished"] = 9
        return answer, process


def test_a_verdict_that_never_comes_to_its_end_is_a_problem_and_no_wait(tmp_path: Path) -> None:
    """DESIGN section 4: a reader that breaks each time before it has looked at all must not be asked for ever."""
    made = repository(tmp_path / "ops.git", None, **many(3))

    async def story(readers: Readers) -> None:
        never = _NeverEnding(made.path, "", made.path.parent / "data")
        never._idle, readers._idle = readers._idle, []
        try:
            found = await never.verdict(made.head())
        finally:
            await never.close()
        assert [one.code for one in found.problems] == [Code.READER_LIMIT]

    shared(made, story)
