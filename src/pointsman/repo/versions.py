"""Versions: what a tag publishes, and how versions are written and ordered (DESIGN section 3). Pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from packaging.utils import canonicalize_version
from packaging.version import InvalidVersion, Version

from pointsman.model.names import is_code

LONGEST_VERSION = 100
MOST_REMEMBERED = 20_000

_MAY_RELEASE = re.compile(r"(?:[^/]+/[^/]+/)?v[0-9][^/]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseTag:
    """What the name of a tag publishes: one workflow, or every workflow if `project` and `workflow` are empty.

    `version` is canonical, `display` is what the tag says, without the `v`.
    """

    tag: str
    version: str
    display: str
    project: str = ""
    workflow: str = ""


def may_release(name: str) -> bool:
    """Whether a tag of this short name may be one for `parse_tag`; a quick look, for 100,000 names at a time."""
    return _MAY_RELEASE.fullmatch(name) is not None


def parse_tag(name: str) -> ReleaseTag | None:
    """What a tag of this short name publishes; None if it is no release tag."""
    scope, slash, last = name.rpartition("/")
    project, _, workflow = scope.partition("/")
    if slash and not (is_code(project) and is_code(workflow)):
        return None
    # the digit keeps `vv1` out, which PEP 440 itself would take, as it would spaces
    if not (last.startswith("v") and last[1:2].isdigit() and last == last.strip()):
        return None
    try:
        version = canonical_version(last[1:])
    except ValueError:
        return None
    return ReleaseTag(tag=name, version=version, display=last[1:], project=project, workflow=workflow)


def canonical_version(text: str) -> str:
    """The one text of a PEP 440 version: `1`, `1.0` and `v1.0.0` are all `1` (R22). `ValueError` if it is none.

    A local version (`1+x`) is refused: it would order by what follows the `+`.
    """
    return canonicalize_version(_version(text))


def same_version(a: str, b: str) -> bool:
    """Whether two texts are the same version; a text that is no version is the same as nothing."""
    try:
        return canonical_version(a) == canonical_version(b)
    except ValueError:
        return False


def ordered(versions: Iterable[str]) -> list[str]:
    """Versions from lowest to highest as in PEP 440. `ValueError` if one is no version."""
    return sorted(versions, key=_version)


def latest(versions: Iterable[str]) -> str | None:
    """The highest version that is no pre-release; None if there is none (R22)."""
    final = [version for version in ordered(versions) if not _version(version).is_prerelease]
    return final[-1] if final else None


def next_version(versions: Iterable[str]) -> str:
    """The smallest whole number that is higher than every one of these, at least `1`."""
    highest = max(map(_version, versions), default=None)
    if highest is None:
        return "1"
    epoch = f"{highest.epoch}!" if highest.epoch else ""
    number = max(1, highest.major)
    return f"{epoch}{number}" if Version(f"{epoch}{number}") > highest else f"{epoch}{number + 1}"


@lru_cache(maxsize=MOST_REMEMBERED)  # every look orders all versions there are
def _version(text: str) -> Version:
    # packaging's pattern ignores case and would fold letters such as U+017F into ASCII ones
    if not text.isascii() or len(text) > LONGEST_VERSION:
        raise ValueError("a version is at most 100 characters of ASCII, such as 1 or 1.2.0")
    try:
        version = Version(text)
    except InvalidVersion:
        raise ValueError(f"{text!r} is no version as in PEP 440, such as 1, 1.2.0 or 2.0.0rc1") from None
    if version.local is not None:
        raise ValueError(f"{text!r} is a local version; leave out the part from '+' on")
    return version
