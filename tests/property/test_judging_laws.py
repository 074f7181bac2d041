"""The law of the verdict cache: who has seen many states of a repository thinks of each as who has seen none."""

import tempfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pygit2
from hypothesis import given
from hypothesis import strategies as st

from fakes.git import Repository
from fakes.sources import DEV, INVENTORY, PROD
from pointsman.intake.judging import EVERY_NAME
from pointsman.intake.reading import Reading
from pointsman.intake.verdict import Verdict, joined
from pointsman.model.plan import PinnedWorkflow
from pointsman.model.source import Mode

WORKFLOWS = ("p/a", "p/b", "q/a")
VERSIONS = ("1", "2", "3rc1")
BRANCH: Mapping[str, str] = {}
RELEASE = {"*": "2"}
OWN_RELEASE = {"/projects/p/workflows/a": "1"}
ROOTS = ("", "ops")
TEMPLATE_TAG = "server-1"
SERVER = "templates/server/template.yaml"
ASSET = "projects/p/environments/dev/assets/web.yaml"


def path(name: str) -> str:
    """The path of a workflow."""
    project, code = name.split("/")
    return f"/projects/{project}/workflows/{code}"


def file(name: str) -> str:
    """The file of a workflow."""
    return f"{path(name)[1:]}.yaml"


def call(name: str, more: str = "") -> str:
    """A workflow that calls another."""
    return f"steps: [{{type: workflow, target: {path(name)}{more}}}]\n"


CALLS = [call(name, more) for name in WORKFLOWS for more in ("", "", ", version: 1")]
# what says something about others: a person, a template's version, a name that is not there
ASKING = [
    "steps: [{name: Go, type: wait, requires_approval_from: {user_names: [ann, bob]}}]\n",
    f"steps: [{{target: {DEV}, action: check, template_version: {TEMPLATE_TAG}}}]\n",
    "steps: [{type: workflow, target: /projects/p/workflows/c}]\n",
]
DAILY = "on: {schedule: [{cron: 0 0 * * *, properties: {env: dev}}]}\n"
TEXTS = [
    f"steps: [{{target: {DEV}, action: check}}]\n",
    f"steps: [{{target: {DEV}, action: check}}]\r\n",
    f"steps: [{{target: {DEV}, action: new}}]\n",
    f"steps: [{{target: {PROD}, action: backup, property_overrides: {{hostname: x}}}}, {{type: wait}}]\n",
    f"{DAILY}steps: [{{target: '/projects/p/environments/{{{{ env }}}}/assets/web', action: check}}]\n",
    "steps: [{target: /projects/q, action: check}]\n",
    "steps: [{type: workflow, target: '{{ next }}'}, {type: workflow, target: /projects/p/workflows/A}]\n",
    "steps: [{type: workflow, target: /projects/p/workflows/b, property_overrides: [{env: dev}, {env: 1}]}]\n",
    "inputs: {properties: {env: {type: string}}}\nsteps: [{name: '{{ env }}', type: wait}]\n",
    "steps: [{target: ]\n",
    "",
]
NEEDY_TEMPLATE = "properties_schema: {required: [x]}\nactions: {check: {run: x}}\n"
OTHERS: Mapping[str, list[str]] = {
    "pointsman.yaml": ["properties: {env: dev, next: /projects/p/workflows/b}\n", "properties: [\n"],
    "projects/p/project.yaml": ["name: P\n", "policy: {min_approvals: 2}\n", "properties: {next: 1}\n", "x: 1\n"],
    "projects/q/project.yaml": ["template: server\nproperties: {hostname: q}\n"],
    "projects/p/environments/dev/environment.yaml": ["properties: {env: dev}\n", "nothing: known\n"],
    ASSET: [INVENTORY[ASSET], f"template: server\ntemplate_version: {TEMPLATE_TAG}\n", "template: gone\n"],
    SERVER: [INVENTORY[SERVER], "actions: {new: {run: ./act.sh}}\n", "actions: 1\n", NEEDY_TEMPLATE],
    "templates/server/act.sh": ["#!/bin/sh\n", "#!/bin/bash\n"],
    "projects/p/workflows/A.yaml": [TEXTS[0]],
    "projects/p/workflows/d.yml": [TEXTS[0]],
    "projects/p/workflows/b.yaml/folder.yaml": ["x: 1\n"],
}  # fmt: skip


@dataclass(frozen=True)
class Move:
    """What happens to the repository: files (None takes one away), and what becomes of tags and people."""

    files: tuple[tuple[str, str | None], ...] = ()
    mode: Mode = Mode.FILE
    template_tag: bool | None = None  # moved to the newest commit, or taken away
    publish: tuple[str, str] | None = None
    users: tuple[str, ...] | None = None
    back: bool = False
    questions: tuple[Mapping[str, str], ...] = ()


# a workflow more often than anything else, and a call or a question more often than any other text
SAYING = st.sampled_from([*CALLS, *ASKING, *TEXTS[:3]]) | st.sampled_from(TEXTS)
WORKFLOW_FILES = st.tuples(st.sampled_from([file(name) for name in WORKFLOWS]), SAYING | st.none())
OTHER_FILES = st.sampled_from([(name, text) for name, texts in OTHERS.items() for text in (*texts, None)])


MOVES = st.builds(
    Move,
    files=st.tuples(st.one_of(WORKFLOW_FILES, WORKFLOW_FILES, WORKFLOW_FILES, OTHER_FILES)),
    mode=st.sampled_from([*[Mode.FILE] * 6, Mode.SYMLINK, Mode.EXECUTABLE]),
    template_tag=st.sampled_from([None, None, True, True, False]),
    publish=st.sampled_from(
        [*[None] * 6, *(("*", version) for version in VERSIONS), (path("p/a"), "1"), (path("q/a"), "2")]
    ),
    users=st.sampled_from([*[None] * 6, ("ann",), ("ann", "bob")]),
    back=st.sampled_from([*[False] * 4, True]),
    questions=st.sampled_from([*[(BRANCH,)] * 4, (RELEASE,), (OWN_RELEASE, RELEASE)]),
)
FIRST = st.fixed_dictionaries({file(name): SAYING for name in WORKFLOWS})


class World:
    """A repository in motion, one reading that sees all of it, and what is published."""

    def __init__(self, folder: Path, root: str) -> None:
        self.repository = Repository.create(folder / "ops.git", bare=True)
        self.root = root
        self.reading = Reading(self.repository.path, root)
        self.rows: list[PinnedWorkflow] = []
        self.state = {
            name: (Mode.EXECUTABLE if name.endswith(".sh") else Mode.FILE, text) for name, text in INVENTORY.items()
        }
        self.commits: list[str] = []

    def commit(self, changes: Mapping[str, str | None], mode: Mode = Mode.FILE) -> str:
        """The commit in which these files are as given; a file takes the place of a folder, a folder that of a file."""
        for name, text in changes.items():
            self.state = {
                kept: held
                for kept, held in self.state.items()
                if kept != name and not kept.startswith(f"{name}/") and not name.startswith(f"{kept}/")
            }
            if text is not None:
                self.state[name] = (mode, text)
        index = pygit2.Index()
        # what lies beside the root is nobody's business
        for root in {self.root, *ROOTS}:
            for name, (how, text) in self.state.items() if root == self.root else [(file("p/b"), (mode, "x"))]:
                blob = self.repository.opened.create_blob(text.encode())
                index.add(pygit2.IndexEntry(f"{root}/{name}".lstrip("/"), blob, pygit2.enums.FileMode(how)))
        self.commits.append(self.repository.commit_tree(str(index.write_tree(self.repository.opened))))
        return self.commits[-1]

    def tag_template(self, here: bool) -> None:  # noqa: FBT001 - drawn
        """Move the tag that template versions name to the newest commit, or take it away."""
        name = f"refs/tags/{TEMPLATE_TAG}"
        if name in self.repository.opened.references:
            self.repository.opened.references.delete(name)
        if here:
            self.repository.tag(TEMPLATE_TAG, self.commits[-1])

    def publish(self, commit: str, publishes: Mapping[str, str]) -> None:
        """Enter what is valid at a tag, as the ledger does."""
        for name, one in self.reading.judge(commit, publishes).workflows.items():
            version = publishes.get(name, publishes.get("*", ""))
            if one.valid and version:
                row = PinnedWorkflow(path=name, version=version, commit=commit, tag=f"v{version}")
                if all((name, version) != (known.path, known.version) for known in self.rows):
                    self.rows.append(row)
                self.reading.published.add(row)

    def fresh(self) -> Reading:
        """A reading that has seen nothing, with the same versions."""
        reading = Reading(self.repository.path, self.root)
        for row in self.rows:
            reading.published.add(row)
        return reading

    def seen(self, verdict: Verdict, users: tuple[str, ...] | None) -> tuple[object, ...]:
        """What there is of that which a verdict says it depends on, but for its commit."""
        versions = Counter(row.path for row in self.rows)
        called = [len(versions) if name == EVERY_NAME else versions[name] for name in verdict.calls]
        refs = self.reading.refs()
        return (users, called, (refs.tags, refs.other_tags) if verdict.by_tags else None)


def in_shares(reading: Reading, commit: str, publishes: Mapping[str, str], users: tuple[str, ...] | None) -> Verdict:
    """The verdict of two shares, a workflow at a time; it must come to an end."""
    parts = []
    for number in range(2):
        left = 99
        while (part := reading.judge(commit, publishes, users, share=(number, 2), most=1)).unfinished:
            assert part.unfinished < left, "asking again does not go on from there"
            left = part.unfinished
        parts.append(part)
    return joined(parts)


@given(root=st.sampled_from(ROOTS), first=FIRST, moves=st.lists(MOVES, min_size=5, max_size=8))
def test_a_verdict_that_is_remembered_is_the_one_that_would_be_found(
    root: str, first: dict[str, str], moves: list[Move]
) -> None:
    """`R15`, `R20`, `R24`: whatever was judged before, the same repository gets the same verdict and inventory.

    And a verdict can only become another where it says so.
    """
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder), root)
        kept: dict[str, tuple[Verdict, tuple[object, ...]]] = {}
        world.commit(first)
        for move in moves:
            world.commit(dict(move.files), move.mode)
            if move.back:
                world.commits.append(world.commits[0])
            if move.template_tag is not None:
                world.tag_template(move.template_tag)
            if move.publish is not None:
                world.publish(world.commits[-1], dict([move.publish]))
            for publishes in move.questions:
                fresh, known, commit = world.fresh(), world.reading, world.commits[-1]
                verdict = fresh.judge(commit, publishes, move.users)
                assert known.judge(commit, publishes, move.users) == verdict
                if publishes == OWN_RELEASE:
                    assert in_shares(known, commit, BRANCH, move.users) == fresh.judge(commit, BRANCH, move.users)
                last, seen = kept.get(f"{commit} {publishes}", (verdict, None))
                assert last == verdict or seen != world.seen(last, move.users)
                kept[f"{commit} {publishes}"] = verdict, world.seen(verdict, move.users)
                assert known.definitions.at(commit).inventory == fresh.definitions.at(commit).inventory
