"""Every example of the documentation does what is said of it, judged as the daemon would.

Each code of `docs/problems.md` has a heading `## PM012 wrong value`, a paragraph, and examples. The first line of their
fenced blocks says what they are:

    yaml wrong PATH, yaml right PATH    files that have the problem, and that have none
    yaml published PATH                 a workflow that is published as version 1, and not on the branch any more
    yaml given PATH                     at the top of the page: files that stand beside all others
    console wrong, console right        for what no file can show: sessions in which the problem is printed, or not

On other pages `yaml PATH` is a file of the repository that the page's files make together. A block that is only `yaml`
is a whole workflow if it has `steps`, and otherwise a part of a file, which can at least be read.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import pytest

import pointsman
from fakes.git import Repository
from pointsman.intake.reading import PlanQuestion, Reading
from pointsman.load.marked_yaml import read
from pointsman.load.nodes import Mapping as Keys
from pointsman.model.plan import PinnedWorkflow
from pointsman.model.problem import Code, Invalid, Problem

ROOT = Path(__file__).resolve().parents[2]
HELLO = Path(pointsman.__file__).parent / "example" / "hello_world"
PROBLEMS = ROOT / "docs" / "problems.md"
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / "examples").rglob("*.md"))]
PROJECTS = [HELLO, *sorted(path.parent for path in (ROOT / "examples").glob("*/projects"))]
USERS = ("ann", "bob")
RESERVED = {Code.DRAFT}


@dataclass(frozen=True, slots=True)
class Fence:
    """A fenced block: the words after its fence, the heading above it, and what stands in it."""

    words: tuple[str, ...]
    heading: str
    text: str


def fences(page: Path) -> Iterator[Fence]:
    """The fenced blocks of a page that are YAML or sessions."""
    text = page.read_text("utf-8")
    for block in re.finditer(r"^```(.*)\n((?:(?!^```).*\n)*)^```$", text, re.MULTILINE):
        headings = re.findall(r"^#+ (.*)$", text[: block.start()], re.MULTILINE)
        words = tuple(block[1].split(None, 2))
        if words[:1] in {("yaml",), ("console",)}:
            yield Fence(words, headings[-1] if headings else "", block[2])


def told(
    folder: Path,
    files: Mapping[str, str],
    published: Mapping[str, str] = MappingProxyType({}),
    *,
    release: bool = False,
) -> list[str]:
    """What is printed of files: as a release of all of them, or as a branch, and then for a run of each workflow."""
    made = Repository.create(folder / "ops.git", bare=True)
    reading = Reading(made.path)
    scripts = [path for path in files if path.endswith(".sh")]
    if published:
        before = made.commit({**files, **published}, branch="published", executable=scripts)
        for file in published:
            path = f"/{file.removesuffix('.yaml')}"
            reading.published.add(PinnedWorkflow(path=path, version="1", commit=before, tag="v1"))
    commit = made.commit(files, executable=scripts)
    if release:
        return list(map(str, reading.judge(commit, {"*": "1"}).problems))
    verdict = reading.judge(commit, {}, USERS)
    planned = [one for workflow in verdict.workflows for one in for_a_run(reading, workflow, commit)]
    return list(map(str, (*verdict.problems, *planned)))


def for_a_run(reading: Reading, workflow: str, commit: str) -> tuple[Problem, ...]:
    """What a run without any variables would be told."""
    try:
        return reading.plan(PlanQuestion(workflow=workflow, inventory=commit, draft=commit)).problems
    except Invalid as error:
        return error.problems


def folder_files(folder: Path) -> dict[str, str]:
    """The files of an example by their paths."""
    found = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_text("utf-8") for path in found}


@dataclass(frozen=True, slots=True)
class Shown:
    """What the page about problems shows of one code: files by path, and sessions."""

    files: dict[str, dict[str, str]]
    sessions: dict[str, str]


def shown(code: Code) -> Shown:
    """The examples that stand under a code's heading."""
    found = Shown({"given": {}, "published": {}, "wrong": {}, "right": {}}, {})
    for fence in fences(PROBLEMS):
        match fence.words:
            case ("yaml", "given", path):
                found.files["given"][path] = fence.text
            case ("yaml", "published" | "wrong" | "right" as word, path):
                if fence.heading.startswith(f"{code} "):
                    found.files[word][path] = fence.text
            case ("console", "wrong" | "right" as word):
                if fence.heading.startswith(f"{code} "):
                    found.sessions[word] = fence.text
            case words:
                raise AssertionError(f"docs/problems.md: nobody knows what ```{' '.join(words)} is")
    return found


@pytest.mark.parametrize("code", [code for code in Code if code not in RESERVED], ids=lambda code: code.value)
def test_the_wrong_example_has_the_problem_and_the_right_one_has_none(code: Code, tmp_path: Path) -> None:
    """`R7`; for PM022 `R17`."""
    examples = shown(code)
    files, sessions = examples.files, examples.sessions

    for word in ("wrong", "right"):
        assert files[word] or word in sessions, f"{code} {code.name} has no {word} example in docs/problems.md"
    if files["wrong"]:
        lines = told(tmp_path / "wrong", {**files["given"], **files["wrong"]}, files["published"])
        assert any(f"[{code}]: " in line for line in lines), "\n".join(lines)
    if files["right"]:
        assert told(tmp_path / "right", {**files["given"], **files["right"]}, files["published"]) == []
    assert f"[{code}]: " in sessions.get("wrong", f"[{code}]: "), f"{code} does not stand in its own session"
    assert "[PM" not in sessions.get("right", "")


@pytest.mark.parametrize(
    "page", [page for page in PAGES if page != PROBLEMS], ids=lambda page: str(page.relative_to(ROOT))
)
def test_every_file_that_a_page_shows_is_valid(page: Path, tmp_path: Path) -> None:
    """Files with a path make one repository; a workflow without one stands in that of `pointsman init`."""
    together: dict[str, str] = {}
    for number, fence in enumerate(fences(page)):
        if fence.words[0] == "yaml" and len(fence.words) == 2:
            together[fence.words[1]] = fence.text
        elif fence.words == ("yaml",):
            node = read(fence.text.encode(), page.name)
            assert not isinstance(node, tuple), "\n".join(map(str, node))
            if isinstance(node, Keys) and "steps" in node.entries:
                alone = {**folder_files(HELLO), "projects/hello_world/workflows/shown.yaml": fence.text}
                assert told(tmp_path / f"{number}", alone, release=True) == []

    assert told(tmp_path / "together", together, release=True) == []


@pytest.mark.parametrize("project", PROJECTS, ids=lambda project: project.name)
def test_every_example_project_is_valid_without_a_warning(project: Path, tmp_path: Path) -> None:
    """`R1`, `R40`: what `pointsman init` writes, and everything in `examples`, released by one tag."""
    assert told(tmp_path, folder_files(project), release=True) == []
