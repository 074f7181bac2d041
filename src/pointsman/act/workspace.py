"""The working copy of one attempt: a fresh copy of the template's folder, the properties, and room for temporary files.

Standard library only. Nothing is written outside of the attempt's own folder, and no link is followed.
"""

import base64
import json
import os
import shutil
from collections.abc import Iterator
from typing import Any

NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
DEEPEST_PLACE = 32  # what is much deeper cannot be removed again


class UnusableError(Exception):
    """The working copy cannot be made; the sentence says why."""


class Workspace:
    """One attempt's folder; `copy` is where the action starts."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.copy = folder + "/copy"
        self.temporary = folder + "/tmp"  # noqa: S108 - inside the attempt's own folder
        self.properties = folder + "/properties.json"
        self.context = folder + "/context.json"
        self.output = folder + "/output"

    def make(self, bundle: str, properties: dict[str, Any], context: dict[str, Any]) -> None:
        """Lay everything out; `UnusableError` if the properties ask for a file that cannot be."""
        os.mkdir(self.folder, 0o700)
        os.mkdir(self.temporary, 0o700)
        if bundle:
            _copy_folder(bundle, self.copy)
        else:
            os.mkdir(self.copy, 0o700)
        _write(self.properties, json.dumps(properties, ensure_ascii=False).encode("utf-8", "surrogatepass"), 0o600)
        _write(self.context, json.dumps(context, ensure_ascii=False).encode("utf-8", "surrogatepass"), 0o600)
        for path, data, mode in _requested_files(properties):
            self._place(path, data, mode)

    def _place(self, path: str, data: bytes, mode: int) -> None:
        """Write one of `pointsman.files` inside the copy, over what the template has there (R103)."""
        parts = path.split("/")
        if path.startswith("/") or any(part in {"", ".", ".."} for part in parts) or "\0" in path or "\\" in path:
            raise UnusableError(f"pointsman.files: {path!r} does not stay inside the working copy")
        if len(parts) > DEEPEST_PLACE:
            raise UnusableError(f"pointsman.files: a path has {len(parts)} levels, more than {DEEPEST_PLACE}")
        place = self.copy
        for part in parts[:-1]:
            place = f"{place}/{part}"
            if os.path.islink(place):
                raise UnusableError(f"pointsman.files: {path!r} leads through a link")
            os.makedirs(place, 0o700, exist_ok=True)
        place = f"{place}/{parts[-1]}"
        if os.path.isdir(place):
            raise UnusableError(f"pointsman.files: {path!r} is a folder of the template")
        if os.path.lexists(place):
            os.unlink(place)
        _write(place, data, mode)

    def remove(self) -> None:
        """Take it all away, with whatever the action made of it."""
        shutil.rmtree(self.folder, ignore_errors=True)


def _copy_folder(source: str, target: str) -> None:
    os.mkdir(target, 0o700)
    with os.scandir(source) as entries:
        for entry in entries:
            place = f"{target}/{entry.name}"
            if entry.is_dir(follow_symlinks=False):
                _copy_folder(entry.path, place)
            else:
                _copy_file(entry.path, place)


def _copy_file(source: str, target: str) -> None:
    with open(source, "rb") as file:
        executable = os.fstat(file.fileno()).st_mode & 0o100
        _write(target, file.read(), 0o700 if executable else 0o600)


def _write(path: str, data: bytes, mode: int) -> None:
    handle = os.open(path, NEW, mode)
    try:
        while data:
            data = data[os.write(handle, data) :]
    finally:
        os.close(handle)


def _requested_files(properties: dict[str, Any]) -> Iterator[tuple[str, bytes, int]]:
    reserved = properties.get("pointsman")
    files = reserved.get("files") if isinstance(reserved, dict) else None
    if files is not None and not isinstance(files, dict):
        raise UnusableError("pointsman.files maps paths to files; it is no mapping")
    for path, wanted in (files or {}).items():
        entry = wanted if isinstance(wanted, dict) else {"content": wanted}
        yield path, _content(path, entry), _mode(path, entry)


def _mode(path: str, entry: dict[str, Any]) -> int:
    """The mode of a file, as far as it is its owner's: YAML reads an unquoted `0600` as the number 600."""
    try:
        return int(str(entry.get("mode", "0600")), 8) & 0o700
    except ValueError:
        raise UnusableError(f"pointsman.files: the mode of {path!r} is no octal number such as 0600") from None


def _content(path: str, entry: dict[str, Any]) -> bytes:
    content, form = entry.get("content", ""), entry.get("format", "raw")
    if form == "json":
        return json.dumps(content, ensure_ascii=False, indent=2).encode("utf-8", "surrogatepass") + b"\n"
    if form not in {"raw", "base64"}:
        raise UnusableError(f"pointsman.files: the format of {path!r} is {form!r}, not raw, json or base64")
    if not isinstance(content, str):
        raise UnusableError(f"pointsman.files: the content of {path!r} is no text; set format: json")
    if form == "base64":
        try:
            return base64.b64decode(content, validate=True)
        except ValueError:
            raise UnusableError(f"pointsman.files: the content of {path!r} is not base64") from None
    return content.encode("utf-8", "surrogatepass")
