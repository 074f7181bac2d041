"""What a hostile push can hold in one YAML file, judged by a real reader, which must still be the same one afterwards.

The numbers are those of `hostile.md`, section 3.1. Nothing here looks at a clock: what bounds the time are limits that
are told, and a reader that is over its own limits is replaced, which every judgement looks for.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import pytest

from fakes.git import Repository
from fakes.sources import DEV, files_of, repository
from pointsman.intake.readers import Readers
from pointsman.intake.reading import PlanQuestion
from pointsman.model.definition import Kind
from pointsman.model.plan import Plan
from pointsman.model.problem import Invalid, Problem

GOOD = f"steps: [{{target: {DEV}, action: check}}]\n"
WORKFLOW = "/projects/p/workflows/deploy"
FILE = "projects/p/workflows/deploy.yaml"
Told = list[tuple[str, int, int]]


@dataclass(frozen=True, slots=True)
class Judge:
    """A repository and its warm reader."""

    made: Repository
    readers: Readers
    runner: asyncio.Runner

    def problems(self, text: str | bytes, file: str = FILE) -> tuple[Problem, ...]:
        """What is told of a commit with this text in a file; the reader must survive it, and the rest be judged."""
        commit = self.made.commit({file: text})
        found = self.of_commit(commit)
        self.made.commit({file: GOOD if file == FILE else None})
        return found

    def of_commit(self, commit: str) -> tuple[Problem, ...]:
        """What is told of a commit."""
        before = self._reader()
        found = self.runner.run(self.readers.verdict(commit))
        assert self._reader() == before, "the reader was replaced"
        assert found.workflows["/projects/p/workflows/other"].valid, "one file broke another"
        for problem in found.problems:
            assert str(problem).replace("\n", "").isprintable()
            assert "Traceback" not in str(problem)
        return found.problems

    def told(self, text: str | bytes, file: str = FILE) -> Told:
        """Code, line and column of each problem."""
        return [(one.code.value, one.place.line, one.place.column) for one in self.problems(text, file)]

    def plan(self, text: str, **properties: str) -> Plan | tuple[Problem, ...]:
        """The plan of a text as a draft, or why there is none."""
        commit = self.made.commit(files_of(deploy=text))
        before = self._reader()
        question = PlanQuestion(workflow=WORKFLOW, inventory=commit, draft=commit, properties={**properties})
        try:
            planned = self.runner.run(self.readers.plan(question))
        except Invalid as error:
            return error.problems
        assert self._reader() == before, "the reader was replaced"
        return planned.plan or planned.problems

    def _reader(self) -> list[int]:
        return [one._process.pid for one in self.readers._idle if one._process is not None]


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Judge]:
    """One for all: whatever breaks its reader is found by whoever comes next as well."""
    folder = tmp_path_factory.mktemp("hostile")
    made = repository(folder / "ops.git", deploy=GOOD, other=GOOD)
    with asyncio.Runner() as runner:
        readers = Readers(made.path, "", folder / "data")
        runner.run(readers.verdict(made.head()))
        yield Judge(made, readers, runner)
        runner.run(readers.close())


def alias_bomb(levels: str) -> str:
    """Ten aliases of ten aliases of ten …"""
    lines = [f"{one}: &{one} [{', '.join([f'*{below}'] * 10)}]" for below, one in pairwise(levels)]
    return "\n".join([f"{levels[0]}: &{levels[0]} [x, x]", *lines, "steps: [{type: wait}]\n"])


def test_an_alias_bomb_is_refused_before_it_is_expanded(judge: Judge) -> None:
    """`hostile 1`, `R14`: nine levels of ten."""
    (found,) = judge.problems(alias_bomb("abcdefghij"))

    assert (found.code, found.place.line) == ("PM002", 6)
    assert found.says.startswith("expands to more than 50,000 values")


def test_a_duplicate_key_is_refused_with_both_lines(judge: Judge) -> None:
    """`hostile 3`, `R14`: at the top and in a flow mapping."""
    found = judge.problems("steps: [{type: wait, name: a, name: b}]\nname: c\nsteps: []\n")

    assert [(one.place.line, one.place.column, one.says) for one in found] == [
        (1, 31, "the key 'name' stands here and in line 1"),
        (3, 1, "the key 'steps' stands here and in line 1"),
    ]


@pytest.mark.parametrize("levels", [100, 1_000, 20_000, 200_000])
@pytest.mark.parametrize("opening", ["[", "{a: "])
def test_flow_nesting_is_refused_at_32_levels(judge: Judge, levels: int, opening: str) -> None:
    """`hostile 5`, `R14`: a composer in C would die of this, one in Python run out of stack."""
    text = opening * min(levels, 250_000 // len(opening))

    assert judge.told(text) == [("PM002", 1, 1 + 32 * len(opening))]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("- " * 100_000, ("PM002", 1, 65)),
        ("{a: " * 800, ("PM002", 1, 129)),
        ("".join(f"{' ' * level}a:\n" for level in range(500)), ("PM002", 33, 33)),
        ("? " * 100_000, ("PM004", 1, 3)),  # a mapping as a key is refused before it can nest
    ],
    ids=["dashes", "flow mappings", "block mappings", "question marks"],
)
def test_block_nesting_is_refused_at_32_levels(judge: Judge, text: str, told: tuple[str, int, int]) -> None:
    """`hostile 6`, `R14`: 2,000 levels of blocks do not fit into 256 KiB, where 500 take half of that."""
    assert judge.told(text) == [told]


@pytest.mark.parametrize("text", ["a: &a [b, *a]\n", "a: &a {b: *a}\n", "a: &a {b: [{c: *a}]}\n"])
def test_a_recursive_alias_is_refused(judge: Judge, text: str) -> None:
    """`hostile 7`, `R14`: in a list, in a mapping and deeper."""
    (found,) = judge.problems(f"steps: [{{type: wait}}]\n{text}")

    assert (found.code, found.place.line, found.place.column) == ("PM004", 2, 2 + text.index("*a") - 1)
    assert found.says == "*a stands inside what it repeats, so it would never end"


@pytest.mark.parametrize(
    "value", ["!!python/object/apply:os.system [id]", "!env HOME", "!!binary aGk=", "!!set {a, b}", "!!omap [a: b]"]
)
def test_a_tag_is_refused_and_does_nothing(judge: Judge, value: str) -> None:
    """`hostile 8`, `R14`."""
    (found,) = judge.problems(f"steps: [{{type: wait}}]\nproperties:\n  a: {value}\n")

    assert (found.code, found.place.line, found.place.column) == ("PM004", 3, 6)
    assert found.says == f"tags such as '{value.split(maxsplit=1)[0]}' are not read"


def test_scalars_mean_what_yaml_1_2_says_and_dates_are_texts(judge: Judge) -> None:
    """`hostile 10`, `R14`: every word of the item, as a step gets it; a null counts as no value."""
    written = ["NO", "on", "012", "0o14", "1_000", "1.10", "2026-06-04", "="]
    keys = "abcdefgh"
    values = ", ".join(f"{key}: {value}" for key, value in zip(keys, written, strict=True))
    text = f"steps: [{{target: {DEV}, action: check, property_overrides: {{{values}, n: ~}}}}]\n"

    found = judge.plan(text)

    assert isinstance(found, Plan)
    (content,) = found.contents.values()
    assert [content.properties[key] for key in keys] == ["NO", "on", 12, 12, "1_000", 1.1, "2026-06-04", "="]
    assert content.properties["n"] is None


def test_a_day_that_does_not_exist_is_a_text_and_no_start_time(judge: Judge) -> None:
    """`hostile 12`, `R59`."""
    step = f"{{target: {DEV}, action: check"

    assert judge.told(f"steps: [{step}, property_overrides: {{day: 2026-02-31}}}}]\n") == []
    (found,) = judge.problems(f"steps:\n  - {step}, start_time: 2026-02-31T10:00:00Z}}\n")
    assert (found.code, found.place.line) == ("PM026", 2)
    assert found.says == "start_time is '2026-02-31T10:00:00Z', and there is no such moment"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("steps: [{type: wait}]\n---\nsteps: []\n", ("PM004", 2, 1)),
        ("", ("PM011", 1, 1)),
        ("# nothing\n", ("PM011", 1, 1)),
        ("42\n", ("PM012", 1, 1)),
        ("steps\n", ("PM012", 1, 1)),
        ("- type: wait\n", ("PM012", 1, 1)),
    ],
)
def test_what_is_no_single_mapping_is_refused(judge: Judge, text: str, told: tuple[str, int, int]) -> None:
    """`hostile 14`, `R1`, `R14`: two documents, nothing, a scalar and a list."""
    assert judge.told(text) == [told]


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"steps:\n  - name: \xff\n", ("PM001", 2, 11)),
        ("steps: []\n".encode("utf-16"), ("PM001", 1, 1)),
        (b"steps:\n  - name: a\0b\n", ("PM001", 2, 12)),
        (b"steps:\n\t- type: wait\n", ("PM001", 2, 1)),
        (b"steps:\n  - type: wait\n\tname: x\n", ("PM001", 3, 1)),
    ],
    ids=["invalid UTF-8", "UTF-16", "NUL", "a tab before a dash", "a tab before a key"],
)
def test_bytes_that_are_no_text_of_yaml_are_refused_where_they_stand(
    judge: Judge, data: bytes, told: tuple[str, int, int]
) -> None:
    """`hostile 15`, `R14`."""
    assert judge.told(data) == [told]


def test_misspelt_approvers_never_become_a_wait_that_anyone_continues(judge: Judge) -> None:
    """`hostile 17`, `R2`, `R9`."""
    text = "steps:\n  - type: wait\n    require_approval_from: {user_names: [ann]}\n"

    (found,) = judge.problems(text)

    assert (found.code, found.place.line, found.place.column) == ("PM010", 3, 5)
    assert found.hint == "did you mean requires_approval_from?"
    assert not isinstance(judge.plan(text), Plan)


def test_a_contradictory_step_is_refused_naming_both_sides(judge: Judge) -> None:
    """`hostile 20`, `R6`: children with a target, a wait with an action."""
    first, second = judge.problems(
        f"steps:\n  - {{name: x, children: [{{type: wait}}], target: {DEV}}}\n  - {{type: wait, action: check}}\n"
    )

    assert (first.code, first.place.line, first.place.column) == ("PM014", 2, 6)
    assert "children makes it a stage and target makes it a change" in first.says
    assert (second.code, second.place.line, second.place.column) == ("PM014", 3, 18)
    assert second.says == "a wait has no action; only a change has it"


@pytest.mark.parametrize("name", ["{{ unclosed", "{{ {{a}} }}", "{{ a + 1 }}", "}}"])
def test_broken_variables_are_refused_where_they_stand(judge: Judge, name: str) -> None:
    """`hostile 21`, `R33`."""
    (found,) = judge.problems(f'steps:\n  - {{type: wait, name: "{name}"}}\n')

    assert (found.code, found.place.line, found.place.column) == ("PM039", 2, 24)
    assert found.says.startswith(f"{name!r} is not a variable")


def test_a_variable_without_a_value_starts_no_run(judge: Judge) -> None:
    """`hostile 21`, `R24`, `R32`: validation lists it, a plan is refused."""
    text = "steps:\n  - {type: wait, name: '{{ unknown }}'}\n"

    assert judge.told(text) == []
    found = judge.plan(text)
    assert isinstance(found, tuple)
    assert [(one.code, one.place.line, one.says) for one in found] == [
        ("PM038", 2, "1 variable has no value: unknown (step 1)")
    ]


def test_a_value_is_never_expanded_twice(judge: Judge) -> None:
    """`hostile 21`, `R36`."""
    found = judge.plan("steps: [{type: wait, name: '{{ a }}'}]\n", a="{{ b }}", b="secret")

    assert isinstance(found, Plan)
    assert found.steps[1].name == "{{ b }}"


def test_a_file_of_50_000_steps_is_refused_by_its_size(judge: Judge) -> None:
    """`hostile 23`, `R14`: before anything of it is read, and therefore at the file's beginning."""
    (found,) = judge.problems(
        "steps:\n" + "  - {target: /projects/p, action: check, name: a step of a workflow}\n" * 50_000
    )

    assert (found.code, found.place.line, found.place.column) == ("PM002", 1, 1)
    assert found.says.endswith("at most 256 KiB are read")


@pytest.mark.parametrize(
    "text",
    [
        "# a comment of some length\n" * 9_400 + GOOD,
        f"name: {'x' * 250_000}\n{GOOD}",
        f'name: "{"x" * 250_000}"\n{GOOD}',
    ],
    ids=["comments", "a plain scalar", "a quoted scalar"],
)
def test_250_kib_of_comments_or_of_one_scalar_are_nothing_special(judge: Judge, text: str) -> None:
    """`hostile 24`, `R14`."""
    assert judge.told(text) == []


def test_a_link_in_the_place_of_a_workflow_is_refused_as_such(judge: Judge) -> None:
    """`hostile 25`, `R14`: what it leads to is never read."""
    made = judge.made
    workflows = made.write_tree(
        ("100644", b"other.yaml", made.write_blob(b"steps: [{type: wait}]\n")),
        ("120000", b"deploy.yaml", made.write_blob(b"/etc/passwd")),
    )
    projects = made.write_tree(("40000", b"p", made.write_tree(("40000", b"workflows", workflows))))
    commit = made.commit_tree(made.write_tree(("40000", b"projects", projects)), branch="linked")

    (found,) = judge.of_commit(commit)

    assert (found.code, found.place.path, found.place.line) == ("PM017", FILE, 1)
    assert found.says.startswith("this is a symbolic link")


def test_odd_names_of_steps_are_cut_escaped_and_told_apart(judge: Judge) -> None:
    """`hostile 27`, `R12`, `R42`: a name may hold anything; the tree cuts it, and keys tell steps apart."""
    names = ["<script>alert(1)</script>", "\\e[31mred\\e[0m", "🚂", "x" * 500, "twice", "twice"]
    steps = "".join(f'  - {{type: wait, name: "{name}"}}\n' for name in names)

    assert judge.told(f"steps:\n{steps}") == []
    found = judge.plan(f"steps:\n{steps}")
    assert isinstance(found, Plan)
    gates = [step for step in found.steps if step.kind is Kind.WAIT]
    assert max(len(step.name) for step in gates) == 200
    assert [step.key for step in gates] == ["1", "2", "3", "4", "5", "6"]
    (refused,) = judge.problems('steps: [{type: wait, "\\e]0;title\\a<b>": x}]\n')
    assert refused.says == "a wait has no key '\\x1b]0;title\\x07<b>'"


@pytest.mark.parametrize("word", ["PARALLEL", "true", "'parallel '", "Parallel", "[parallel]", "~", "'{{ x }}'"])
def test_run_as_is_one_of_two_words_and_nothing_like_them(judge: Judge, word: str) -> None:
    """`hostile 28`, `R8`."""
    (found,) = judge.problems(f"steps:\n  - name: x\n    run_as: {word}\n    children: [{{type: wait}}]\n")

    at_key = word in {"[parallel]", "~"}
    assert (found.code, found.place.line, found.place.column) == ("PM012", 3, 5 if at_key else 13)


@pytest.mark.parametrize("file", ["projects/p/assets/x.yaml", "templates/x/template.yaml"])
def test_nesting_is_refused_in_every_kind_of_file(judge: Judge, file: str) -> None:
    """`hostile 5`, `R15`."""
    (found,) = judge.problems("[" * 100_000, file)

    assert (found.code, found.place.path, found.place.column) == ("PM002", file, 33)
