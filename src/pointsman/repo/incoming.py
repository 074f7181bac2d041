"""A repository as it will be once a push is accepted, while Git still keeps what was pushed in quarantine.

It is a folder of its own that borrows all objects and has the refs of afterwards, so that whoever reads it needs to
know nothing of quarantine, and nothing that the real repository configures has an effect.
"""

import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from pointsman.model.problem import Invalid
from pointsman.repo.opening import common_folder, open_repository
from pointsman.repo.targets import read_targets

_DEEPEST_LOAN = 5


@contextmanager
def repository_after(
    folder: Path, changes: Mapping[str, str], *, objects: Iterable[Path] = ()
) -> Iterator[tuple[Path, Mapping[str, str]]]:
    """The folder of such a repository, for as long as it is used, and what each of the refs names now, before the push.

    `changes` are object ids by full ref name, empty for a ref that goes; `objects` are the folders of quarantined
    objects. `NotFound`, `Invalid` or `Unavailable` if the real repository at `folder` cannot be read.
    """
    common = common_folder(open_repository(folder))
    before = read_targets(common).whole()
    after = {name: object_id for name, object_id in {**before, **changes}.items() if object_id}
    with tempfile.TemporaryDirectory(prefix="pointsman-push-") as made:
        place = Path(made)
        for part in ("objects/info", "objects/pack", "refs/heads", "refs/tags"):
            (place / part).mkdir(parents=True)
        (place / "HEAD").write_text("ref: refs/heads/main\n", "ascii")
        (place / "config").write_text("[core]\n\tbare = true\n\trepositoryformatversion = 0\n", "ascii")
        lines = "".join(f"{object_id} {name}\n" for name, object_id in sorted(after.items()))
        (place / "packed-refs").write_text(lines, "utf-8", "surrogateescape")
        loans = "".join(f"{loan}\n" for loan in _loans([*objects, common / "objects"]))
        (place / "objects/info/alternates").write_text(loans, "utf-8", "surrogateescape")
        yield place, before


def _loans(folders: Iterable[Path]) -> list[Path]:
    """These folders of objects and those that they borrow from, absolute: a loan of a loan may not be relative."""
    found: dict[Path, None] = {}
    waiting = [(folder.resolve(), 0) for folder in folders]
    while waiting:
        folder, depth = waiting.pop(0)
        if folder in found or not folder.is_dir():
            continue
        if "\n" in str(folder):
            raise Invalid(f"{str(folder)!r}: objects in a folder with a line break in its name cannot be borrowed")
        found[folder] = None
        if depth < _DEEPEST_LOAN:
            waiting += [((folder / line).resolve(), depth + 1) for line in _lines(folder / "info" / "alternates")]
    return list(found)


def _lines(file: Path) -> list[str]:
    try:
        text = file.read_text("utf-8", "surrogateescape")
    except (FileNotFoundError, NotADirectoryError):
        return []
    return [line for line in text.splitlines() if line and not line.startswith("#")]
