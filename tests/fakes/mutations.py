"""Sources that are nearly right: golden folders with a file changed, and what must hold for whatever is made of them.

Whole tokens are changed and odd characters put in: what is nearly a definition reaches far more code than noise.
"""

import re
from functools import cache
from pathlib import Path
from random import Random

from pointsman.load.assemble import Loaded
from pointsman.load.working_tree import working_tree
from pointsman.model.problem import Place, Problem
from pointsman.model.source import Entry, Mode, Source

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "problems"

_TOKEN = re.compile(r"[A-Za-z0-9_./]+|[ \t]+|\n|.", re.DOTALL)
_ODD = (
    "\0", "\t", "\r", "\r\n", "\x85", "\u2028", "\ufeff", "\x1b[2J", "\u202e", "\ud83d\ude00", "\x7f", "\xa0", "é",
    "e\u0301", "{{", "}}", "{{ a }}", "{{ a.b }}", "[", "]", "{", "}", "- ", "? ", ": ", "#", "&a ", "*a",
    "!!x ", "%YAML 1.1\n",
    "---\n", "...\n", "|\n", ">-\n", "<<: ", '"', "'", "\\", "~", "null", "true", "-1", "1e400", "0x1", ".inf", "1_0",
    "9" * 400, "2026-02-31", "\n", "\n\n", "  ", "..", "/", "//", "/projects/p", "\\ud800", "a" * 300,
)  # fmt: skip


@cache
def golden_sources() -> tuple[tuple[Source, str], ...]:
    """Every definition of the golden folders, in its folder, by name."""
    found = []
    for case in sorted(one for one in GOLDEN.iterdir() if one.is_dir()):
        source = working_tree(case)
        files = sorted(path for path, entry in source.entries.items() if entry.data)
        found += [(source, path) for path in files]
    return tuple(found)


def with_data(source: Source, path: str, data: bytes) -> Source:
    """The source with one file's bytes changed."""
    entry = Entry(mode=Mode.FILE, size=len(data), data=data)
    return Source(entries={**source.entries, path: entry}, trees=source.trees, commit=source.commit)


def mutated(seed: int, count: int) -> tuple[Source, str]:
    """One of the golden definitions after so many changes, and its path; the same for the same arguments."""
    random = Random(f"{seed}/{count}")
    source, path = random.choice(golden_sources())
    tokens = _TOKEN.findall((source.entries[path].data or b"").decode("utf-8", "surrogateescape"))
    for _ in range(count):
        _CHANGES[random.randrange(len(_CHANGES))](random, tokens)
    return with_data(source, path, "".join(tokens).encode("utf-8", "surrogatepass")), path


def misplaced(source: Source, problems: tuple[Problem, ...]) -> list[str]:
    """The problems that do not point into a file of the source, or just behind the end of one of its lines."""
    lines = {path: _text(entry).split("\n") for path, entry in source.entries.items() if entry.data is not None}
    return [str(one) for one in problems if not _stands(one.place, lines.get(one.place.path, [""]))]


def unsound(source: Source, loaded: Loaded) -> list[str]:
    """Everything about what was loaded that must not be, whatever the source holds."""
    unprintable = [
        repr(one)
        for one in loaded.problems
        if not f"{one.message}{one.hint}{one.place.path}".isprintable() or not one.says
    ]
    both = [path for path in loaded.workflows if path in loaded.rest]
    return [*misplaced(source, loaded.problems), *unprintable, *both]


def _stands(place: Place, lines: list[str]) -> bool:
    if not 1 <= place.line <= len(lines):
        return False
    return 1 <= place.column <= len(lines[place.line - 1]) + 1


def _text(entry: Entry) -> str:
    data = entry.data or b""
    text = data.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace")
    # what is missing at the end is missed where the next line would begin
    return text if text.endswith("\n") else f"{text}\n"


def _deleted(random: Random, tokens: list[str]) -> None:
    if tokens:
        start = random.randrange(len(tokens))
        del tokens[start : start + random.choice((1, 1, 1, 2, 8))]


def _doubled(random: Random, tokens: list[str]) -> None:
    if tokens:
        start = random.randrange(len(tokens))
        tokens[start:start] = tokens[start : start + random.choice((1, 1, 4, 20))]


def _replaced(random: Random, tokens: list[str]) -> None:
    if tokens:
        tokens[random.randrange(len(tokens))] = random.choice((random.choice(tokens), random.choice(_ODD)))


def _inserted(random: Random, tokens: list[str]) -> None:
    tokens.insert(random.randint(0, len(tokens)), random.choice(_ODD))


def _swapped(random: Random, tokens: list[str]) -> None:
    """Two lines change places."""
    lines = "".join(tokens).split("\n")
    one, other = random.randrange(len(lines)), random.randrange(len(lines))
    lines[one], lines[other] = lines[other], lines[one]
    tokens[:] = _TOKEN.findall("\n".join(lines))


def _cut(random: Random, tokens: list[str]) -> None:
    if random.random() < 0.2:
        del tokens[random.randint(0, len(tokens)) :]


_CHANGES = (_deleted, _doubled, _replaced, _replaced, _inserted, _inserted, _swapped, _cut)
