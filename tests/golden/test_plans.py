"""Folders of files and a `request.json` → the plan, one line a step, or the problems; `UPDATE_GOLDEN=1` writes anew.

A request names the `workflow` and its `properties`; `validate` plans as validation does, `published_as` gives it a
version. `published` lists versions of workflows in ascending order: as in `versions/<version>/` where that folder has
the file, else as in the tree. What is listed nowhere is a draft in the tree.
"""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from fakes.sources import plan_lines
from pointsman.load.assemble import Loaded, assemble
from pointsman.load.working_tree import working_tree
from pointsman.model.definition import WorkflowDefinition
from pointsman.model.plan import PinnedWorkflow
from pointsman.model.problem import has_errors
from pointsman.plan.library import Shelf
from pointsman.plan.planner import Planned, Request, plan

CASES = sorted((Path(__file__).parent / "plans").iterdir())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_folder_is_planned_in_these_lines(case: Path) -> None:
    """`R12`, `R22`, `R24`, `R30`–`R36`, `R40`–`R45`, `R100`, `R103`: one folder or several for each."""
    found = planned(case)

    lines = [str(problem) for problem in found.problems]
    lines += [f"variables {', '.join(found.variables)}"] if found.variables else []
    whole = found.plan or (None if has_errors(found.problems) or found.variables else found.outline)
    lines += plan_lines(whole) if whole else []
    told = "".join(f"{line}\n" for line in lines)
    expected = case / "expected.txt"
    if os.environ.get("UPDATE_GOLDEN"):
        expected.write_text(told, encoding="utf-8")
    assert told == expected.read_text(encoding="utf-8")


def planned(case: Path) -> Planned:
    """What comes of the request of a folder."""
    request: dict[str, Any] = json.loads((case / "request.json").read_text("utf-8"))
    tree = good(case)
    releases: dict[str, tuple[PinnedWorkflow, ...]] = {}
    definitions: dict[PinnedWorkflow, WorkflowDefinition] = {}
    for path, version in request.get("published", ()):
        then = case / "versions" / version
        at = good(then).workflows if (then / f"{path[1:]}.yaml").exists() else tree.workflows
        pinned = PinnedWorkflow(path=path, version=version, commit=f"commit of {version}", tag=f"v{version}")
        definitions[pinned] = at[path]
        releases[path] = (*releases.get(path, ()), pinned)
    drafts = {path: one for path, one in tree.workflows.items() if path not in releases}
    shelf = Shelf(inventory=tree.inventory, releases=releases, definitions=definitions, drafts=drafts)
    own = PinnedWorkflow(path=request["workflow"], version=request.get("published_as", ""), commit="")
    wish = Request(
        pinned=own,
        definition=tree.workflows[own.path],
        properties=request.get("properties", {}),
        lenient=request.get("validate", False),
    )
    return plan(wish, shelf)


def good(folder: Path) -> Loaded:
    """What a folder defines, which must be without an error."""
    found = assemble(working_tree(folder))
    assert not has_errors(found.problems), "\n".join(map(str, found.problems))
    return found
