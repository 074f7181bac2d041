"""The house rules that no linter knows: sizes, docstrings, names of files, the supervisor's imports, untested rules."""

import ast
import importlib
import math
import re
import sys
from collections.abc import Iterable, Iterator
from fnmatch import fnmatch
from functools import cache
from pathlib import Path
from typing import NamedTuple, TypeAlias

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src"
PACKAGE = SOURCE / "pointsman"

LONGEST_FUNCTION, LONG_FUNCTION = 60, 35
LONGEST_FILE, LONG_FILE = 400, 250
VAGUE = {"utils", "util", "helpers", "helper", "manager", "managers", "base", "common", "misc"}
TOP_LEVEL = {"pyproject.toml", "README.md", "LICENSE", "src", "tests", "docs", "examples"}
UNFINISHED = re.compile(r"\b(TO" + r"DO|FIX" + r"ME)\b")
SUPERVISOR = {
    f"pointsman.act.{name}"
    for name in ("zygote", "supervisor", "attempt", "processes", "output", "program", "workspace", "reported")
}
COVERED = {
    *range(1, 19), *range(20, 29), *range(30, 38), *range(40, 46), *range(50, 61), *range(70, 75), 91, 92,
    *range(95, 99), *range(100, 104), 110, 112, 113, 114,
}  # fmt: skip

Definition: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


class Sized(NamedTuple):
    """Something with its length in lines."""

    lines: int
    what: str


def python_files() -> list[Path]:
    """Every module of the package that is not empty."""
    return sorted(path for path in PACKAGE.rglob("*.py") if path.stat().st_size)


@cache
def parsed(path: Path) -> ast.Module:
    """The syntax tree of a file, read once."""
    return ast.parse(path.read_text("utf-8"), str(path))


def shown(path: Path) -> str:
    """A path as messages show it."""
    return str(path.relative_to(ROOT))


def functions() -> list[Sized]:
    """Every function with its length, its docstring included."""
    return [
        Sized((node.end_lineno or node.lineno) - node.lineno + 1, f"{shown(path)}:{node.lineno} {node.name}")
        for path in python_files()
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]


def files() -> list[Sized]:
    """Every file with its length."""
    return [Sized(len(path.read_text("utf-8").splitlines()), shown(path)) for path in python_files()]


def oversized(found: Iterable[Sized], *, longest: int, usual: int) -> list[str]:
    """What is too long: single ones over `longest`, and all over `usual` if they are more than one in twenty."""
    ordered = sorted(found)
    p95 = ordered[math.ceil(0.95 * len(ordered)) - 1]
    limit = usual if p95.lines > usual else longest
    return [f"{entry.what}: {entry.lines} lines" for entry in reversed(ordered) if entry.lines > limit]


def undocumented(path: Path) -> Iterator[str]:
    """What is public in a file and makes no promise."""
    tree = parsed(path)
    if ast.get_docstring(tree) is None:
        yield shown(path)
    for owner, node in definitions(tree):
        if ast.get_docstring(node) is None and not (owner and promised_elsewhere(path, owner, node.name)):
            yield f"{shown(path)}:{node.lineno} {owner.name + '.' if owner else ''}{node.name}"


def definitions(node: ast.Module | ast.ClassDef) -> Iterator[tuple[ast.ClassDef | None, Definition]]:
    """Public classes and functions with the class they are in; nothing inside of functions, nor setters."""
    for child in node.body:
        if not isinstance(child, Definition) or child.name.startswith("_"):
            continue
        decorators = [ast.unparse(decorator) for decorator in child.decorator_list]
        if not any(name.endswith((".setter", "overload")) for name in decorators):
            yield node if isinstance(node, ast.ClassDef) else None, child
        if isinstance(child, ast.ClassDef):
            yield from definitions(child)


def promised_elsewhere(path: Path, owner: ast.ClassDef, name: str) -> bool:
    """Whether the class's own docstring speaks of this `name`, or it keeps the promise of a class above."""
    if f"`{name}`" in (ast.get_docstring(owner) or ""):
        return True
    if not owner.bases:
        return False
    module = importlib.import_module(".".join(path.relative_to(SOURCE).with_suffix("").parts))
    return any(name in vars(above) for above in getattr(module, owner.name).__mro__[1:])


def imported(path: Path) -> set[str]:
    """The modules that a file imports, wherever in it."""
    names: set[str] = set()
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or ".")
    return names


def written_files() -> Iterator[Path]:
    """Every text that we write, without what tools leave behind."""
    for top in ("src", "tests", "docs", "examples", ".github", ".ci"):
        for path in (ROOT / top).rglob("*"):
            if path.is_file() and path.suffix != ".pyc":
                yield path
    yield ROOT / "README.md"


def text_of(path: Path) -> str:
    """A file's text; empty if it is none, such as a picture."""
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError:
        return ""


def test_no_function_is_longer_than_60_lines_and_19_in_20_have_at_most_35() -> None:
    found = oversized(functions(), longest=LONGEST_FUNCTION, usual=LONG_FUNCTION)
    assert not found, "split these functions:\n" + "\n".join(found)


def test_no_file_is_longer_than_400_lines_and_19_in_20_have_at_most_250() -> None:
    found = oversized(files(), longest=LONGEST_FILE, usual=LONG_FILE)
    assert not found, "these files are more than one thing:\n" + "\n".join(found)


def test_everything_public_makes_a_promise() -> None:
    found = [entry for path in python_files() for entry in undocumented(path)]
    assert not found, "say in a docstring what is promised:\n" + "\n".join(found)


def test_files_are_named_for_what_is_in_them() -> None:
    found = [
        shown(path) for top in (PACKAGE, ROOT / "tests") for path in top.rglob("*") if path.stem.strip("_") in VAGUE
    ]
    assert not found, f"name these for what is in them: {found}"


def test_no_file_holds_a_note_of_unfinished_work() -> None:
    found = [
        f"{shown(path)}:{number}"
        for path in written_files()
        for number, line in enumerate(text_of(path).splitlines(), start=1)
        if UNFINISHED.search(line)
    ]
    assert not found, f"do it, or file an issue: {found}"


def test_nothing_else_lies_at_the_top_of_the_repository() -> None:
    ignored = [line.strip("/") for line in text_of(ROOT / ".gitignore").splitlines() if line.strip()]
    found = [
        path.name
        for path in ROOT.iterdir()
        if not path.name.startswith(".")
        and path.name not in TOP_LEVEL
        and not any(fnmatch(path.name, pattern) for pattern in ignored)
    ]
    assert not found, f"the top level holds {sorted(TOP_LEVEL)} and hidden files only; found {sorted(found)}"


def test_the_supervisor_needs_only_the_standard_library() -> None:
    found = {
        name: strange
        for name in SUPERVISOR
        if (strange := {
            other
            for other in imported(SOURCE / (name.replace(".", "/") + ".py")) - SUPERVISOR
            if other.split(".")[0] not in sys.stdlib_module_names
        })
    }  # fmt: skip
    assert not found, f"it is started without site-packages: {found}"


def test_every_rule_is_named_by_a_test() -> None:
    named = {
        int(number)
        for path in (ROOT / "tests").rglob("*")
        if path.is_file() and path.suffix != ".pyc" and path != Path(__file__).resolve()
        for number in re.findall(r"\bR(\d{1,3})\b", text_of(path))
    }
    missing = sorted(COVERED - named)
    assert not missing, "write a test for, or name in one: " + ", ".join(f"R{number}" for number in missing)
