"""The files of one commit or working tree, as far as definitions need them. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum

LARGEST_DEFINITION = 256 * 1024


class Mode(IntEnum):
    """The Git modes that can occur in a tree; anything else is taken as UNKNOWN."""

    FILE = 0o100644
    EXECUTABLE = 0o100755
    SYMLINK = 0o120000
    SUBMODULE = 0o160000
    UNKNOWN = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One file. `data` is there for definition files (`.yaml`, `.yml`) of at most `LARGEST_DEFINITION` bytes only."""

    mode: Mode
    size: int
    oid: str = ""
    data: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Files below the root that holds `projects/`, by their path relative to it. `commit` is empty for a working tree.

    `trees` names the Git tree id of every template folder. `prefix` is what messages put before a path.
    """

    entries: Mapping[str, Entry]
    trees: Mapping[str, str] = field(default_factory=dict)
    commit: str = ""
    prefix: str = ""
