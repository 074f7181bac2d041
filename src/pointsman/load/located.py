"""How messages name the files of a source, and which of them can be read. Pure."""

from pointsman.load.wording import printable
from pointsman.model.problem import Code, Place, Problem
from pointsman.model.source import LARGEST_DEFINITION, Mode, Source

REGULAR = (Mode.FILE, Mode.EXECUTABLE)


def located(source: Source, path: str) -> str:
    """How messages name a file of the source."""
    separator = "" if not source.prefix or source.prefix.endswith("/") else "/"
    return printable(f"{source.prefix}{separator}{path}")


def file_trouble(source: Source, path: str) -> Problem | None:
    """Why a definition cannot be read: it is a link, a submodule, or too large."""
    entry, place = source.entries[path], Place(located(source, path))
    if entry.mode not in REGULAR:
        return not_a_file(place, entry.mode)
    if entry.size > LARGEST_DEFINITION:
        says = f"the file has {entry.size:,} bytes; at most {LARGEST_DEFINITION // 1024} KiB are read"
        return Problem(place=place, code=Code.TOO_LARGE, says=says, hint="split it")
    if entry.data is None:
        return Problem(place=place, code=Code.NOT_A_FILE, says="the file cannot be read")
    return None


def not_a_file(place: Place, mode: Mode) -> Problem:
    """What is said of links and submodules: nothing outside the repository's own files is ever read."""
    what = {Mode.SYMLINK: "a symbolic link", Mode.SUBMODULE: "a submodule"}.get(mode, "no regular file")
    says = f"this is {what}; definitions and scripts must be files of this repository"
    return Problem(place=place, code=Code.NOT_A_FILE, says=says, hint="put the file itself here")
