"""Whatever stands in the files of refs, the good ones are read, and nothing but `Unavailable` is ever raised."""

import shutil
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
from pointsman.model.problem import PointsmanError
from pointsman.repo.files import resolve_commit
from pointsman.repo.refs import RefSnapshot, compare, read_refs
from pointsman.repo.targets import is_ref_name

GOOD_BRANCHES = {"main", "topic/a"}
GOOD_TAGS = {"v1", "p/w/v2"}
LETTERS = "xyv019-._;$()`'\"<>é\u202e\x1b \n/~^:?*[\\@{"
WORDS = ("refs/heads/", "refs/tags/", "v3", "p/w/v4", "..", ".lock", "@{", "HEAD", "main", "\xff", "a" * 300)
WRONG = (
    b"", b"\n", b"ref: refs/heads/main", b"ref: HEAD", b"ref: ../../x", b"ref: refs/tags/x", b"0" * 40, b"z" * 40,
    b"1" * 39, b"1" * 41 + b"\n", b"\0" * 50, b"\xff\xfe", b"ref: " + b"r" * 5000,
)  # fmt: skip


class World:
    """A repository with two good branches and two good tags, and one object of every kind."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "base.git"
        made = Repository.create(self.path, bare=True)
        commit = made.commit({"projects/p/project.yaml": "name: P\n"})
        made.commit({"a": "b"}, branch="topic/a")
        made.tag("v1")
        made.git("pack-refs", "--all")
        made.tag("p/w/v2")
        objects = {"commit": commit, "blob": made.write_blob(), "tree": made.write_tree(), "missing": "3" * 40}
        objects["tag"] = _tag(made, commit, "commit")
        objects["tag of a tag"] = _tag(made, objects["tag"], "tag")
        objects["lying tag"] = _tag(made, objects["blob"], "commit")
        objects["broken tag"] = made.write(ObjectType.TAG, b"object x")
        self.targets = [one.encode() for one in objects.values()]
        self.good = read_refs(made.opened)

    def spoilt(self, folder: Path, random: Random) -> Repository:
        """A copy with some more refs, packed and loose, of which hardly any is good."""
        copy = folder / "ops.git"
        shutil.copytree(self.path, copy)
        made = Repository(copy)
        for _ in range(random.randrange(6)):
            self.spoil(made, random)
        return made

    def spoil(self, made: Repository, random: Random) -> None:
        """One more ref, or a line of packed-refs that is none."""
        name, value = _name(random), random.choice((*self.targets, *WRONG))
        if random.random() < 0.5:
            with (made.path / "packed-refs").open("ab") as file:
                file.write(random.choice((value + b" " + name, name, value, b"^" + value, b"# " + name)) + b"\n")
            return
        place = made.path.joinpath(*name.decode("utf-8", "surrogateescape").split("/"))
        # some names cannot be on a disk, or are in the way of others
        with suppress(OSError, ValueError):
            place.parent.mkdir(parents=True, exist_ok=True)
            if place.is_symlink():  # a name that came twice: writing would go where the link leads
                place.unlink()
            match random.randrange(8):
                case 0:
                    place.mkdir()
                case 1:
                    place.symlink_to(made.path / "description")
                case _:
                    place.write_bytes(value)


def _name(random: Random) -> bytes:
    """A ref's name that is not one of the good ones, and in the way of none."""
    parts = [random.choice((random.choice(LETTERS), random.choice(LETTERS), random.choice(WORDS))) for _ in range(6)]
    name = "x" + "".join(parts[: random.randint(1, 6)]).replace("../", ".x/").removesuffix("/..")
    if random.random() < 0.3:
        name = f"v{random.randint(5, 9)}{random.choice(('', '.1', 'rc1', ';id', '/x'))}"
    return (random.choice(("refs/heads/", "refs/tags/")) + name).encode(
        "latin-1", "replace" if "\xff" in name else "ignore"
    )


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """One for all examples."""
    with tempfile.TemporaryDirectory() as folder:
        yield World(Path(folder))


def check(made: Repository, found: RefSnapshot, good: RefSnapshot) -> None:
    """The good refs are as they were, and all that is said is fit to be shown."""
    assert {name: found.branches.get(name) for name in GOOD_BRANCHES} == dict(good.branches)
    assert {name: found.tags.get(name) for name in GOOD_TAGS} == dict(good.tags)
    for name, says in (*found.unusable.items(), *((name, tag.trouble) for name, tag in found.tags.items())):
        assert name.isprintable()
        assert says.isprintable()
    for name in (*found.branches, *found.tags, *found.other_tags):
        assert is_ref_name(f"refs/heads/{name}")
    for commit in (*found.branches.values(), *(tag.commit for tag in found.tags.values() if not tag.trouble)):
        assert made.opened[commit].type == ObjectType.COMMIT


@given(st.integers(0, 2**32 - 1))
def test_good_refs_are_there_beside_any_bad_ones(world: World, seed: int) -> None:
    """Hostile 37, 48, 51: and what is read anew from what was known is what is read from nothing."""
    random = Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        made = world.spoilt(Path(folder), random)
        first = read_refs(made.opened)
        check(made, first, world.good)
        world.spoil(made, random)
        second = read_refs(made.opened, first)
        assert second == read_refs(made.opened)
        check(made, second, world.good)
        assert not {*compare(first, second).branches_deleted} & GOOD_BRANCHES


@given(st.text(alphabet=LETTERS + "ref/headstgm0123456789bcf", max_size=45))
def test_any_text_that_is_asked_for_is_a_commit_or_a_sentence(world: World, text: str) -> None:
    """Hostile 48: never an option, a pattern or an exception of libgit2."""
    made = Repository(world.path)
    commit, says = made.head(), ""
    try:
        commit = resolve_commit(made.opened, text)
    except PointsmanError as error:
        says = error.says
    assert says.isprintable()
    assert made.opened[commit].type == ObjectType.COMMIT


def _tag(made: Repository, target: str, kind: str) -> str:
    return made.write(ObjectType.TAG, f"object {target}\ntype {kind}\ntag t\n\n".encode())
