"""Whatever trees a commit holds, judging it gives a verdict or a `PointsmanError`, and its words can be shown."""

import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pygit2.enums import ObjectType

from fakes.git import Repository
from fakes.mutations import golden_sources, mutated
from fakes.sources import INVENTORY
from pointsman.intake.reading import Reading
from pointsman.intake.verdict import Verdict
from pointsman.model.problem import PointsmanError
from pointsman.model.wire import from_json, to_json
from pointsman.repo.objects import commit_at

NAMES: tuple[bytes, ...] = (
    b"projects", b"templates", b"pointsman.yaml", b"p", b"server", b"template.yaml", b"act.sh", b"project.yaml",
    b"environments", b"dev", b"environment.yaml", b"assets", b"web.yaml", b"workflows", b"deploy.yaml", b"Deploy.yaml",
    b"deploy.yml", b"deploy.YAML", b"Projects", b"..", b".", b".git", b"git~1", b"", b"a/b", b"\xff", b"a\nb.yaml",
    b"-rf.yaml", b"\x1b[2J.yaml", "\u202ex.yaml".encode(), "ü.yaml".encode(), "u\u0308.yaml".encode(), b"x" * 300,
    b".gitkeep",
)  # fmt: skip
MODES = ("100644", "100644", "100644", "100755", "40000", "40000", "120000", "160000", "100664", "0", "7777777")
# what a push can add to: good definitions, whose places are where faults matter
GOOD = {path.encode(): text.encode() for path, text in INVENTORY.items()}


class Forest:
    """One repository for all examples; its objects only grow."""

    def __init__(self, folder: Path) -> None:
        self.made = Repository.create(folder / "ops.git", bare=True)

    def commit(self, seed: int, size: int) -> str:
        """A commit whose tree is the good one with some entries changed or added, anywhere in it; by the seed alone."""
        random = Random(f"{seed}/{size}")
        files: dict[tuple[bytes, ...], tuple[str, bytes]] = {}
        for path, data in GOOD.items():
            files[tuple(path.split(b"/"))] = ("100755" if path.endswith(b".sh") else "100644", data)
        for _ in range(size):
            spot = random.choice(sorted(files))
            kept = spot[: random.randint(0, len(spot))]
            added = tuple(random.choice(NAMES) for _ in range(random.randint(1, 3)))
            files[(*kept, *added)] = (random.choice(MODES), self._bytes(random))
            if random.random() < 0.2:
                files.pop(spot, None)
        return self.made.commit_tree(self._tree(random, files))

    def _bytes(self, random: Random) -> bytes:
        if random.random() < 0.5:
            source, path = random.choice(golden_sources())
            return source.entries[path].data or b""
        changed, path = mutated(random.randrange(1000), 3)
        return changed.entries[path].data or b""

    def _tree(self, random: Random, files: dict[tuple[bytes, ...], tuple[str, bytes]]) -> str:
        """The id of a tree of files by their parts; where a file is in the way of a folder, both are there."""
        folders: dict[bytes, dict[tuple[bytes, ...], tuple[str, bytes]]] = {}
        entries = []
        for path, (mode, data) in files.items():
            if len(path) > 1:
                folders.setdefault(path[0], {})[path[1:]] = (mode, data)
            else:
                entries.append((mode, path[0], self._object(random, mode, data)))
        entries += [("40000", name, self._tree(random, inside)) for name, inside in folders.items()]
        return self.made.write_tree(*sorted(entries, key=lambda entry: entry[1]))

    def _object(self, random: Random, mode: str, data: bytes) -> str:
        if random.random() < 0.05:
            return random.choice(("4" * 40, self.made.write_tree(), self.made.write(ObjectType.TREE, b"damaged")))
        return self.made.write_tree() if mode == "40000" else self.made.write_blob(data)


@pytest.fixture(scope="module")
def forest() -> Iterator[Forest]:
    """One for all examples."""
    with tempfile.TemporaryDirectory() as folder:
        yield Forest(Path(folder))


@given(st.integers(0, 2**32 - 1), st.integers(1, 8))
def test_any_tree_is_judged_or_refused_and_everything_said_can_be_shown(forest: Forest, seed: int, size: int) -> None:
    """Hostile 38, 40, 43, 46, 47: and what is listed has a code, so that its page can be asked for."""
    commit = forest.commit(seed, size)
    reading = Reading(forest.made.path)

    found = reading.judge(commit, {"*": "1"}, users=("ann",))

    assert from_json(Verdict, to_json(found)) == found
    for problem in found.problems:
        assert str(problem).replace("\n", "").isprintable()
    assert found.problems == tuple(dict.fromkeys(found.problems))
    for path in found.workflows:
        assert path.isascii()


@given(st.integers(0, 2**32 - 1), st.integers(1, 8))
def test_any_folder_is_exported_whole_or_refused(forest: Forest, seed: int, size: int) -> None:
    """Hostile 38, 40, 47: what steps would get lies within its folder."""
    tree = commit_at(forest.made.opened.odb, forest.commit(seed, size)).tree
    files: list[tuple[str, bool, bytes]] = []
    with suppress(PointsmanError):
        files = Reading(forest.made.path).export(tree)
    for path, _, _ in files:
        assert path.isprintable()
        assert not {"", ".", "..", ".git"} & set(path.lower().split("/"))
