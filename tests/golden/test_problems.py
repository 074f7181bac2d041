"""Folders of files → the problems in them, word for word; `UPDATE_GOLDEN=1` writes them anew.

The files of a folder are laid over those in `given` and committed, and the commit is judged as the daemon would. What a
folder needs beyond that is in its `how.toml`:

    root = "ops"            the definitions lie in this subfolder (default: at the top)
    tag = "2"               the commit is judged as this release of all its workflows (default: as a branch)
    users = ["ann"]         the local users, where approvers are looked up (default: there is a directory)
    bare = true             nothing is given

    [run]                   every workflow is planned as well, for a run with these variables; what that tells follows
    env = "dev"             a line that names the workflow

`published/<version>/` holds the files that were laid over `given` when that version was released.
"""

import os
import re
import shutil
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pygit2
import pytest

from pointsman.intake.reading import PlanQuestion, Reading
from pointsman.model.plan import PinnedWorkflow
from pointsman.model.problem import Code, Invalid, Problem

HERE = Path(__file__).parent
GIVEN = HERE / "given"
CASES = sorted(path for path in (HERE / "problems").iterdir() if path.is_dir())
NOT_COMMITTED = shutil.ignore_patterns("expected.txt", "how.toml", "published")
# These say something of a ref, of the reader, or of versions before; nothing that a folder of files could show.
ELSEWHERE = {Code.BAD_REF, Code.READER_LIMIT, Code.DRAFT, Code.BAD_SIGNATURE, Code.BREAKS_PUBLISHED}
FEWEST = 150


@dataclass(slots=True, kw_only=True)
class Judge:
    """A repository made of a folder of this corpus, and what is known of it."""

    how: dict[str, Any]
    folder: Path
    reading: Reading
    publishes: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, case: Path, folder: Path) -> "Judge":
        """The repository with its releases, in which nothing is checked out."""
        how = tomllib.loads((case / "how.toml").read_text("utf-8")) if (case / "how.toml").exists() else {}
        pygit2.init_repository(str(folder / "ops"), initial_head="main")
        judge = cls(how=how, folder=folder / "ops", reading=Reading(folder / "ops", how.get("root", "")))
        versions = case / "published"
        for version in sorted(versions.iterdir()) if versions.exists() else ():
            judge._release(version)
        return judge

    def _release(self, version: Path) -> None:
        commit, opened = self.commit(version), pygit2.Repository(str(self.folder))
        opened.references.create(f"refs/tags/v{version.name}", commit)
        for path in self.reading.definitions.at(commit).workflows:
            row = PinnedWorkflow(path=path, version=version.name, commit=commit, tag=f"v{version.name}")
            self.reading.published.add(row)

    def commit(self, files: Path) -> str:
        """The id of a commit of what is given with these files over it."""
        top = self.folder / self.how.get("root", "")
        for old in self.folder.iterdir():
            if old.name != ".git":
                shutil.rmtree(old) if old.is_dir() else old.unlink()
        top.mkdir(parents=True, exist_ok=True)
        if not self.how.get("bare"):
            shutil.copytree(GIVEN, top, dirs_exist_ok=True)
        for link in (path for path in files.rglob("*") if path.is_symlink()):
            shutil.rmtree(top / link.relative_to(files), ignore_errors=True)
            (top / link.relative_to(files)).unlink(missing_ok=True)
        shutil.copytree(files, top, symlinks=True, dirs_exist_ok=True, ignore=NOT_COMMITTED)
        opened = pygit2.Repository(str(self.folder))
        opened.config["core.autocrlf"] = "false"
        opened.index.clear()
        opened.index.add_all()
        tree = opened.index.write_tree()
        who = pygit2.Signature("Ada Lovelace", "ada@example.com", 1_700_000_000, 0)
        return str(opened.create_commit(None, who, who, "Change", tree, []))

    def lines(self, commit: str) -> Iterator[str]:
        """Everything that is told of a commit."""
        publishes = {"*": self.how["tag"]} if "tag" in self.how else {}
        users = tuple(self.how["users"]) if "users" in self.how else None
        found = self.reading.judge(commit, publishes, users)
        yield from map(str, found.problems)
        if "run" in self.how:
            for workflow in sorted(found.workflows):
                yield f"to run {workflow}:"
                yield from map(str, self._planned(workflow, commit))

    def _planned(self, workflow: str, commit: str) -> tuple[Problem, ...]:
        question = PlanQuestion(workflow=workflow, inventory=commit, draft=commit, properties=self.how["run"])
        try:
            return self.reading.plan(question).problems
        except Invalid as error:
            return error.problems


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_problem_of_the_folder_is_told_in_these_words(case: Path, tmp_path: Path) -> None:
    """`R1`–`R18`, `R22`, `R24`, `R30`–`R37`, `R41`–`R45`, `R53`, `R59`, `R78`, `R100`, `R102` and `R103`:

    one folder or several for each, named after what is wrong in it.
    """
    judge = Judge.of(case, tmp_path)

    told = "".join(f"{line}\n" for line in judge.lines(judge.commit(case)))
    expected = case / "expected.txt"
    if os.environ.get("UPDATE_GOLDEN"):
        expected.write_text(told, encoding="utf-8")
    assert told == expected.read_text(encoding="utf-8")


def test_folders_that_are_called_valid_have_no_problem_and_the_others_have_some() -> None:
    for case in CASES:
        assert case.name.startswith("valid") == ("PM" not in (case / "expected.txt").read_text("utf-8")), case.name


def test_there_are_enough_folders_and_one_at_least_for_every_code() -> None:
    told = "".join((case / "expected.txt").read_text("utf-8") for case in CASES)

    assert len(CASES) >= FEWEST
    assert [f"{code} {code.name}" for code in set(Code) - ELSEWHERE if f"[{code}]" not in told] == []


def test_every_place_in_the_corpus_is_a_character_of_its_file_or_just_behind_it() -> None:
    """`R7`: columns count characters, not bytes."""
    for case in CASES:
        for path, line, column in re.findall(
            r"^(\S.*?):(\d+):(\d+): ", (case / "expected.txt").read_text("utf-8"), re.MULTILINE
        ):
            file = next((place for place in (case / path, GIVEN / path) if place.is_file()), None)
            if file is None or int(line) == int(column) == 1:
                continue
            lines = file.read_bytes().decode("utf-8-sig", "replace").split("\n")
            assert int(column) <= len(lines[int(line) - 1]) + 1, f"{case.name}: {path}:{line}:{column}"
