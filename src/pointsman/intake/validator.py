"""Which validator this is: what it thought of a commit is not believed by another one."""

import sys
import zoneinfo
from collections.abc import Iterator
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pointsman
from pointsman.model.values import digest

CODE = Path(pointsman.__file__).parent
PACKAGES = ("model", "plan", "load", "repo", "intake")
LIBRARIES = (
    "cronsim", "google-re2", "jsonschema", "packaging", "pydantic", "pygit2", "referencing", "ruamel.yaml", "tzdata"
)  # fmt: skip


def validator_id(root: str, *, code: Path = CODE) -> str:
    """Another text whenever a commit may be judged otherwise: other code, libraries or time zones, or another root."""
    zones = [Path(path).stat().st_mtime_ns for path in zoneinfo.TZPATH if Path(path).is_dir()]
    libraries = [f"{name} {_installed(name)}" for name in LIBRARIES]
    return digest([root, pointsman.__version__, sys.version, *libraries, *zones, *_sources(code)])


def _sources(folder: Path) -> Iterator[str]:
    """Every file of the packages that have a say, with the digest of its content."""
    for package in PACKAGES:
        for path in sorted((folder / package).rglob("*")):
            if path.is_file() and path.suffix != ".pyc":
                yield f"{path.relative_to(folder)} {sha256(path.read_bytes()).hexdigest()}"


def _installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
