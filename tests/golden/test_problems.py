"""Folders of files → the problems in them, word for word; `UPDATE_GOLDEN=1` writes them anew."""

import os
import re
from pathlib import Path

import pytest

from pointsman.load.assemble import assemble
from pointsman.load.working_tree import working_tree
from pointsman.model.problem import Code, has_errors

HERE = Path(__file__).parent
CASES = sorted((HERE / "problems").iterdir())
# What a run's variables break has no folder, and what only a plan can tell is told elsewhere.
ELSEWHERE = {Code.BREAKS_INPUTS}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_problem_of_the_folder_is_told_in_these_words(case: Path) -> None:
    """`R1`, `R2`, `R3`, `R4`, `R5`, `R6`, `R7`, `R8`, `R9`, `R10`, `R11`, `R12`, `R13`, `R14`, `R15`, `R16`, `R18`,

    `R22`, `R37`, `R53`, `R59`, `R78`, `R102` and `R103`: one folder or several for each.
    """
    loaded = assemble(working_tree(case))

    told = "".join(f"{problem}\n" for problem in loaded.problems)
    expected = case / "expected.txt"
    if os.environ.get("UPDATE_GOLDEN"):
        expected.write_text(told, encoding="utf-8")
    assert told == expected.read_text(encoding="utf-8")
    assert bool(loaded.broken) == has_errors(loaded.problems)


def test_folders_that_are_called_valid_have_no_problem_and_the_others_have_some() -> None:
    for case in CASES:
        assert case.name.startswith("valid") == ((case / "expected.txt").read_bytes() == b""), case.name


def test_every_kind_of_problem_that_reading_finds_has_a_folder() -> None:
    package = HERE.parents[1] / "src/pointsman/load"
    raised = {
        Code[name] for path in package.glob("*.py") for name in re.findall(r"\bCode\.([A-Z_]+)", path.read_text())
    }
    told = "".join((case / "expected.txt").read_text() for case in CASES)

    assert {code for code in raised - ELSEWHERE if f"[{code}]" not in told} == set()
