"""What is thought of a commit, from a real repository: drafts, tags, children, order and doubles of problems."""

from pathlib import Path

import pytest

from fakes.hello import PIPELINE, hello_world
from fakes.sources import DEV, files_of, repository
from pointsman.intake.reading import Reading
from pointsman.intake.verdict import Verdict
from pointsman.model.plan import PinnedWorkflow
from pointsman.model.problem import Code, Severity

GOOD = f"steps: [{{target: {DEV}, action: check}}]"
BAD = "steps: [{target: /projects/p/assets/gone, action: check}]"
BROKEN = "steps: [{target: ]"


def path(code: str) -> str:
    """The path of a workflow of `p`."""
    return f"/projects/p/workflows/{code}"


def call(code: str, more: str = "") -> str:
    """A workflow that calls another."""
    return f"steps: [{{type: workflow, target: {path(code)}{more}}}]"


def valid(found: Verdict) -> dict[str, bool]:
    """Which workflows are valid, by their codes."""
    return {name.rsplit("/", 1)[1]: one.valid for name, one in found.workflows.items()}


def published(reading: Reading, code: str, version: str, commit: str) -> None:
    """The ledger has this version."""
    reading.published.add(
        PinnedWorkflow(path=path(code), version=version, commit=commit, tag=f"p/{code}/v{version}")
    )  # fmt: skip


def test_the_seeds_example_is_valid_as_it_stands(tmp_path: Path) -> None:
    """`R1`, `R40`: and its fan-out, whose child the tag itself publishes."""
    made = hello_world(tmp_path / "ops.git")

    found = Reading(made.path).judge(made.head(), {"*": "1"})

    assert (found.problems, found.valid) == ((), True)
    assert found.workflows[PIPELINE].step_count == 17
    assert found.workflows[PIPELINE.replace("rollout-pipeline", "backup-environment")].variables == ("env",)


def test_one_invalid_workflow_leaves_the_others_of_the_commit_valid(tmp_path: Path) -> None:
    """`R20`: whether it cannot be read or cannot be planned."""
    made = repository(tmp_path / "ops.git", good=GOOD, bad=BAD, broken=BROKEN)

    found = Reading(made.path).judge(made.head(), {"*": "1"})

    assert valid(found) == {"good": True, "bad": False, "broken": False}
    assert not found.valid


def test_every_problem_is_told_once_in_the_order_of_files_and_lines(tmp_path: Path) -> None:
    """`R15`: what reading found and what planning found, together."""
    late = (
        f"steps:\n- {{type: wait, requires_approval_from: {{user_names: [nobody]}}}}\n- {{target: {DEV}, action: no}}\n"
    )
    asset = "projects/p/environments/dev/assets/web.yaml"
    files = {
        asset: "template: server\nproperties: {hostname: x}\nspeed: 1\n",
        "projects/p/assets/b.yml": "template: server\n",
    }
    made = repository(tmp_path / "ops.git", files, a=late, b=BROKEN, z=BAD)

    found = Reading(made.path).judge(made.head(), users=("ann",))

    assert [(one.place.path.rsplit("/", 1)[1], one.place.line, one.code.value) for one in found.problems] == [
        ("b.yml", 1, "PM016"),
        ("web.yaml", 3, "PM010"),
        ("a.yaml", 2, "PM022"),
        ("a.yaml", 3, "PM030"),
        ("b.yaml", 1, "PM001"),
        ("z.yaml", 1, "PM030"),
    ]


def test_a_step_on_a_broken_target_says_that_it_is_broken(tmp_path: Path) -> None:
    """`R15`: not that it does not exist, and nothing about a name that would be near."""
    made = repository(
        tmp_path / "ops.git", {"templates/server/template.yaml": "actions: 1\n"}, a=GOOD, b=call("c"), c=BROKEN
    )

    told = [f"[{one.code}]: {one.message}" for one in Reading(made.path).judge(made.head()).problems]

    assert (
        f"[PM030]: step 1: {DEV} cannot be used: there is an error in its file, its template or a file above it" in told
    )
    assert f"[PM033]: step 1: {path('c')} cannot be called: there is an error in its file" in told


def test_files_below_a_root_are_judged_with_their_whole_path(tmp_path: Path) -> None:
    """DESIGN section 2: `root`"""
    made = repository(tmp_path / "ops.git")
    tree = made.opened.revparse_single("main^{tree}")
    commit = made.commit_tree(made.write_tree(("40000", b"ops", str(tree.id))), branch="moved")
    reading = Reading(made.path, "ops")

    assert reading.judge(commit).valid
    other = reading.judge_source("p", "w", BAD, base=commit)
    assert [one.place.path for one in other.problems] == ["ops/projects/p/workflows/w.yaml"]


# Children


def test_on_a_branch_a_child_that_is_not_published_is_a_warning(tmp_path: Path) -> None:
    """`R24`: taken from the tree."""
    made = repository(tmp_path / "ops.git", main=call("child"), child=GOOD)

    found = Reading(made.path).judge(made.head())

    assert [(one.code, one.severity) for one in found.problems] == [(Code.UNPUBLISHED, Severity.WARNING)]
    assert valid(found) == {"main": True, "child": True}


@pytest.mark.parametrize("version", ["", ", version: 2", ", version: 2.0"])
def test_where_the_tag_publishes_the_child_too_there_is_no_warning(tmp_path: Path, version: str) -> None:
    """`R24`: whichever way the version is written."""
    made = repository(tmp_path / "ops.git", main=call("child", version), child=GOOD)

    assert Reading(made.path).judge(made.head(), {"*": "2"}).problems == ()


def test_a_tag_of_the_caller_alone_leaves_the_warning(tmp_path: Path) -> None:
    """`R24`"""
    made = repository(tmp_path / "ops.git", main=call("child"), child=GOOD)

    found = Reading(made.path).judge(made.head(), {path("main"): "2"})

    assert [one.code for one in found.problems] == [Code.UNPUBLISHED]


def test_a_child_that_exists_nowhere_is_an_error_with_the_nearest_name(tmp_path: Path) -> None:
    """`R24`: drafts and versions are suggested."""
    made = repository(tmp_path / "ops.git", main=call("chlid"), child=GOOD)

    found = Reading(made.path).judge(made.head())

    assert [one.hint for one in found.problems] == [f"did you mean {path('child')}?"]
    assert valid(found)["main"] is False


def test_a_child_that_is_published_and_no_longer_in_the_tree_is_called(tmp_path: Path) -> None:
    """`R24`, `R22`: from its own commit."""
    made = repository(tmp_path / "ops.git", main=call("child"), child=GOOD)
    then = made.head()
    made.commit({"projects/p/workflows/child.yaml": None})
    reading = Reading(made.path)
    published(reading, "child", "1", then)

    assert reading.judge(made.head()).problems == ()


# Cycles


def test_cycles_are_found_at_validation_and_at_publication(tmp_path: Path) -> None:
    """`R44`: through drafts, through versions, and through those that the tag would give."""
    made = repository(tmp_path / "ops.git", a=call("b"), b=call("a"))
    reading = Reading(made.path)

    for publishes, shown in ({}, "p/a → p/b → p/a"), ({"*": "1"}, "p/a@1 → p/b@1 → p/a@1"):
        found = reading.judge(made.head(), publishes)
        assert valid(found) == {"a": False, "b": False}
        assert f"a workflow calls itself: {shown}" in str(found.problems[0])


def test_a_cycle_with_a_published_version_is_told_in_the_file_that_closes_it(tmp_path: Path) -> None:
    """`R44`, `R24`: as the editor shows only that file."""
    made = repository(tmp_path / "ops.git", a=GOOD, b=call("a"))
    reading = Reading(made.path)
    published(reading, "b", "1", made.head())

    found = reading.judge_source("p", "a", call("b"), base=made.head())

    assert [str(one).split("\n")[0] for one in found.problems] == [
        "projects/p/workflows/a.yaml:1:34: error[PM036]: step 1: a workflow calls itself: p/a → p/b@1 → p/a"
    ]
    assert valid(found) == {"a": False}


# People


def test_an_approver_whom_nobody_knows_is_a_warning(tmp_path: Path) -> None:
    """`R17`, `R76`: without regard to case and space; nothing is said where the local users are not all there are."""
    gate = "{type: wait, requires_approval_from: {user_names: [ANN, bob]}}"
    made = repository(tmp_path / "ops.git", w=f"steps: [{{name: S, run_as: sequential, children: [{gate}]}}]")

    found = Reading(made.path).judge(made.head(), users=(" ann", "eve"))

    assert [str(one).split("\n")[0] for one in found.problems] == [
        "projects/p/workflows/w.yaml:1:106: warning[PM022]: step 1.1: nobody here is called 'bob'"
    ]
    assert valid(found) == {"w": True}
    assert Reading(made.path).judge(made.head(), users=None).problems == ()


# Refs that are no good


def test_a_commit_that_cannot_be_read_is_invalid_with_the_reason(tmp_path: Path) -> None:
    """DESIGN section 4: a missing object, a folder named `..`, a commit that is none."""
    made = repository(tmp_path / "ops.git", w=GOOD)
    reading = Reading(made.path)
    missing = made.commit_project(("40000", b"workflows", "1" * 40))
    climbing = made.commit_tree(made.write_tree(("40000", b"projects", made.write_tree(("40000", b"..", "1" * 40)))))

    for commit in (missing, climbing, "2" * 40, made.write_blob()):
        found = reading.judge(commit)
        assert (found.valid, found.workflows) == (False, {})
        assert len(found.problems) == 1


def test_a_published_child_whose_objects_are_gone_cannot_be_called_and_all_else_can(tmp_path: Path) -> None:
    """`R24`, DESIGN section 4: one damaged commit is no reason to judge nothing."""
    made = repository(tmp_path / "ops.git", a=call("child", ", version: 1"), b=GOOD)
    reading = Reading(made.path)
    published(reading, "child", "1", "3" * 40)

    found = reading.judge(made.head())

    assert valid(found) == {"a": False, "b": True}
    assert f"{path('child')} has no valid version 1" in str(found.problems[0])


# The editor


def test_the_editor_sees_the_problems_of_its_file_only(tmp_path: Path) -> None:
    """`R15`: with everything else as it is at the commit."""
    made = repository(tmp_path / "ops.git", a=GOOD, b=BROKEN)
    reading = Reading(made.path)

    found = reading.judge_source("p", "new", BAD, base=made.head())
    assert [one.place.path for one in found.problems] == ["projects/p/workflows/new.yaml"]
    assert valid(found) == {"new": False}
    assert valid(reading.judge_source("p", "b", GOOD, base=made.head())) == {"b": True}
    assert valid(reading.judge(made.head())) == {"a": True, "b": False}
    assert files_of(a=GOOD).keys() == {"projects/p/workflows/a.yaml"}
