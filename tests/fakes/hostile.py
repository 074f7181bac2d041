"""A repository with everything in it that a hostile push can hold, beside refs that are good and must stay so.

The numbers are those of the list of hostile inputs. Objects and refs are written as no honest Git would write them.
"""

import hashlib
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import pygit2
from pygit2.enums import ObjectType

from fakes.daemon import Daemon
from fakes.git import EMAIL, FIRST_TIME, NAME, Repository
from fakes.sources import DEV, files_of, repository

GOOD = f"steps: [{{target: {DEV}, action: check}}]"
DEPLOY = "/projects/p/workflows/deploy"
LEADING_ELSEWHERE = (b"..", b".", b".git", b".GIT", b"git~1", b"/etc", b"a/b", b"")
ODD_FILES = (
    b"a\nb.yaml",
    b"\x1b[31m.yaml",
    b"\xff\xfe.yaml",
    b"-rf.yaml",
    b"dot.",
    "\u202ex.yaml".encode(),
    b"<b>.yaml",
)
ODD_REFS = ("v9;id", "$(id)", "`id`", "'\"", '"><script>alert(1)</script>', "-rf", "--upload-pack=x", "ünder")
_BLOB, _DELTA = 3, 7
WHO = f"{NAME} <{EMAIL}> {FIRST_TIME} +0000"


def well(daemon: Daemon) -> None:
    """The daemon lives, answers, and has shown nobody a traceback."""
    assert daemon.process is not None
    assert daemon.process.poll() is None, daemon.stderr()
    assert daemon.ask("GET", "//healthz").status == 200
    assert "Traceback" not in daemon.stderr(), daemon.stderr()


class Hostile:
    """The repository. `bad` says of every bad ref, by its full name, part of the reason that must be told; `good` is
    the commit of `main`, `later` one that no ref names yet.
    """

    def __init__(self, folder: Path) -> None:
        self.repository = repository(folder, deploy=GOOD)
        self.good = self.repository.head()
        self.repository.tag("v1")
        self.repository.write_ref("refs/heads/good", self.good)
        self.repository.write_ref("refs/heads/later", self.good)
        self.later = self.repository.commit(files_of(later=GOOD), branch="later")
        self.repository.opened.references.delete("refs/heads/later")
        self.bad: dict[str, str] = {}
        for plant in (self._tags, self._names, self._links, self._sizes, self._cases, self._odd_files, self._people):
            for name, target, reason in plant():
                self.repository.write_ref(name, target)
                self.bad[name] = reason
        self._odd_refs()

    def _branch(self, number: str, *entries: tuple[str, bytes, str]) -> tuple[str, str]:
        """The name of a branch, and a commit in whose `projects/p` these entries stand beside the good ones."""
        made = self.repository
        good = [
            (f"{entry.filemode:o}", str(entry.name).encode(), str(entry.id))
            for entry in made.opened.revparse_single(f"{self.good}:projects/p").peel(pygit2.Tree)
            if str(entry.name).encode() not in {name for _, name, _ in entries}
        ]
        projects = made.write_tree(("40000", b"p", made.write_tree(*good, *entries)))
        templates = str(made.opened.revparse_single(f"{self.good}:templates").id)
        tree = made.write_tree(("40000", b"projects", projects), ("40000", b"templates", templates))
        name = f"bad/{number}"
        return f"refs/heads/{name}", made.commit_tree(tree, branch=name)

    def _tags(self) -> Iterator[tuple[str, str, str]]:
        """37: on a blob, a tree, nothing, with a lying type, 20,000 tags deep."""
        made = self.repository
        blob = made.write_blob()
        deep = self.good
        for count in range(20_000):
            deep = _tag(made, deep, "tag" if count else "commit")
        yield "refs/tags/v37.1", blob, " file, not "
        yield "refs/tags/v37.2", made.write_tree(), " folder, not "
        yield "refs/tags/v37.3", "3" * 40, "is missing from the repository"
        yield "refs/tags/p/deploy/v37.4", _tag(made, blob, "commit"), "it says that it is on a commit"
        yield "refs/tags/p/deploy/v37.5", deep, "a tag of a tag of a tag"
        yield "refs/heads/bad/37.1", blob, " file, not "
        yield "refs/heads/bad/37.2", "3" * 40, "is missing from the repository"

    def _names(self) -> Iterator[tuple[str, str, str]]:
        """38: names that lead elsewhere, as files and as folders; on branches, and at a tag."""
        made = self.repository
        inside = made.write_tree(("100644", b"x.yaml", made.write_blob()))
        for number, name in enumerate(LEADING_ELSEWHERE):
            yield *self._branch(f"38.{number}", ("40000", name, inside)), "no file or folder may have this name"
            yield *self._branch(f"38.{number}f", ("100644", name, made.write_blob())), "may have this name"
        yield "refs/tags/v38", self._branch("38", ("40000", b"..", inside))[1], "may have this name"
        yield *self._branch("38", ("40000", b"..", inside)), "no file or folder may have this name"

    def _links(self) -> Iterator[tuple[str, str, str]]:
        """40: a workflow, a file of properties and a folder are links."""
        made = self.repository
        link = made.write_blob(b"/etc/passwd")
        workflows = made.write_tree(("120000", b"deploy.yaml", link))
        yield *self._branch("40.1", ("40000", b"workflows", workflows)), "this is a symbolic link"
        yield *self._branch("40.2", ("120000", b"project.yaml", link)), "this is a symbolic link"
        yield *self._branch("40.3", ("120000", b"environments", link)), "this is a symbolic link"
        yield *self._branch("43", ("160000", b"environments", "4" * 40)), "this is a submodule"

    def _sizes(self) -> Iterator[tuple[str, str, str]]:
        """44 and 45: 600 MiB of zeros; 100,001 files; 400 folders deep; a path of 5,000 characters."""
        made = self.repository
        zeros = made.write_tree(("100644", b"deploy.yaml", huge_zeros(made, 600 * 1024 * 1024)))
        yield *self._branch("44", ("40000", b"workflows", zeros)), "the file has 629,145,600 bytes"
        blob = made.write_blob()
        many = made.write_tree(*(("100644", b"%d.yaml" % number, blob) for number in range(100_001)))
        yield *self._branch("45.1", ("40000", b"assets", many)), "more than 100,000 files"
        deep = long = made.write_tree(("100644", b"x.yaml", blob))
        for _ in range(400):
            deep = made.write_tree(("40000", b"d", deep))
        yield *self._branch("45.2", ("40000", b"assets", deep)), "nested more than 40 deep"
        for _ in range(20):
            long = made.write_tree(("40000", b"d" * 250, long))
        yield *self._branch("45.3", ("40000", b"assets", long)), "more than 4,000 characters"

    def _cases(self) -> Iterator[tuple[str, str, str]]:
        """46: a name in another case, and one in two forms of Unicode."""
        made = self.repository
        blob = made.write_blob(GOOD.encode())
        names = (b"deploy.yaml", b"Deploy.yaml", "\u00fcber.yaml".encode(), "u\u0308ber.yaml".encode())
        workflows = made.write_tree(*(("100644", name, blob) for name in names))
        yield *self._branch("46", ("40000", b"workflows", workflows)), "Deploy"

    def _odd_files(self) -> Iterator[tuple[str, str, str]]:
        """47: a newline, ESC, bytes that are no UTF-8, a leading dash, a trailing dot, a right-to-left mark."""
        made = self.repository
        blob = made.write_blob(GOOD.encode())
        workflows = made.write_tree(*(("100644", name, blob) for name in (b"deploy.yaml", *ODD_FILES)))
        yield *self._branch("47", ("40000", b"workflows", workflows)), "code"

    def _people(self) -> Iterator[tuple[str, str, str]]:
        """61: nobody's commit in no time, and one whose author would paint the screen; both are good for all else."""
        made = self.repository
        tree = str(made.opened[self.good].tree.id)
        odd = b"tree %s\nauthor E\x1b[31mve <e@v> 99999999999999999999 +9999\ncommitter \xff <> -1 x\n\n\xff\x07\n"
        yield "refs/heads/bad/61.1", made.write(ObjectType.COMMIT, odd % tree.encode()), ""
        yield "refs/heads/bad/61.2", made.write(ObjectType.COMMIT, b"tree %s\n\n" % tree.encode()), ""
        nobody = f"object {self.good}\ntype commit\ntag v0.61\n\n\xff".encode("latin-1")
        yield "refs/tags/v0.61", made.write(ObjectType.TAG, nobody), ""

    def _odd_refs(self) -> None:
        """48 and 51: names that a shell, an option parser or a page would take for more than that; packed and loose."""
        packed = []
        for number, name in enumerate(ODD_REFS):
            if number % 2:
                packed += [f"{self.good} refs/heads/{name}", f"{self.good} refs/tags/{name}"]
            else:
                self.repository.write_ref(f"refs/heads/{name}", self.good)
                self.repository.write_ref(f"refs/tags/{name}", self.good)
        packed += [
            f"{self.good} refs/tags/../../../etc/x",
            f"{self.good} refs/heads/bad\x1bname",
            f"{'z' * 40} refs/tags/v51",
            "# nonsense",
            "",
            f"{self.good} refs/tags/v2",
        ]
        (self.repository.path / "packed-refs").write_text("\n".join(packed) + "\n")


def huge_zeros(of: Repository, size: int) -> str:
    """The id of a loose blob that says it has so many bytes; whoever tries to read them fails."""
    object_id = "ab" + "1" * 38
    path = Path(of.opened.path) / "objects/ab" / object_id[2:]
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(zlib.compress(b"blob %d\0" % size + bytes(100_000)))
    return object_id


def delta_bomb(of: Repository, size: int, *texts: bytes) -> list[str]:
    """The ids of small files that are packed as changes to `size` zeros: whoever reads one must make those first."""
    base = b"\xba" * 20  # nobody compares a base with its name
    objects = [(base, _packed_head(_BLOB, size) + _zeros(size))]
    for text in texts:
        pieces = [text[start : start + 127] for start in range(0, len(text), 127)]
        delta = _varint(size) + _varint(len(text)) + b"".join(bytes([len(piece)]) + piece for piece in pieces)
        name = hashlib.sha1(b"blob %d\0" % len(text) + text).digest()
        objects.append((name, _packed_head(_DELTA, len(delta)) + base + zlib.compress(delta)))
    pack = b"PACK" + struct.pack(">II", 2, len(objects))
    places: dict[bytes, tuple[int, int]] = {}
    for name, data in objects:
        places[name] = (zlib.crc32(data), len(pack))
        pack += data
    pack += hashlib.sha1(pack).digest()
    folder = Path(of.opened.path) / "objects" / "pack"
    (folder / "pack-bomb.pack").write_bytes(pack)
    (folder / "pack-bomb.idx").write_bytes(_pack_index(places, pack[-20:]))
    return [name.hex() for name, _ in objects[1:]]


def _zeros(size: int) -> bytes:
    """So many zeros, a whole number of MiB, as zlib would have compressed them, at once."""
    mib = 1024 * 1024
    compressor = zlib.compressobj(9, zlib.DEFLATED, -15)
    piece = compressor.compress(bytes(mib)) + compressor.flush(zlib.Z_FULL_FLUSH)
    return b"\x78\xda" + piece * (size // mib) + b"\x03\x00" + struct.pack(">HH", size % 65521, 1)


def _packed_head(kind: int, size: int) -> bytes:
    return _varint((size >> 4) << 7 | kind << 4 | size & 15)


def _varint(number: int) -> bytes:
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*found, number])


def _pack_index(places: dict[bytes, tuple[int, int]], pack: bytes) -> bytes:
    names = sorted(places)
    counts = [sum(name[0] <= first for name in names) for first in range(256)]
    index = b"\xfftOc" + struct.pack(">I256I", 2, *counts) + b"".join(names)
    for part in (0, 1):
        index += b"".join(struct.pack(">I", places[name][part]) for name in names)
    index += pack
    return index + hashlib.sha1(index).digest()


def _tag(of: Repository, target: str, kind: str) -> str:
    return of.write(ObjectType.TAG, f"object {target}\ntype {kind}\ntag t\ntagger {WHO}\n\nm\n".encode())
