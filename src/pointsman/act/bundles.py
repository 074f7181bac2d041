"""Template folders on disk, by the id of their Git tree: written once, copied for every attempt."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path, PurePosixPath

FolderFiles = Iterable[tuple[str, bool, bytes]]


class Bundles:
    """Exported folders. `read` gives the files of a tree: path, whether executable, content."""

    def __init__(self, data: Path, read: Callable[[str], FolderFiles]) -> None:
        self._folder, self._read = data / "bundles", read
        self._known: set[str] = set()

    def forget_before(self, boot: str) -> None:
        """Throw away what was exported before the machine's last start: it was never synced, and may be torn."""
        mark = self._folder / "boot"
        if mark.exists() and mark.read_text("ascii", "replace") == boot:
            return
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir(parents=True, exist_ok=True)
        mark.write_text(boot, "ascii")

    def folder(self, tree: str) -> str:
        """The folder that holds the files of this tree; empty for a template without a tree."""
        if not tree:
            return ""
        place = self._folder / tree
        if tree not in self._known and not place.is_dir():
            self._export(tree, place)
        self._known.add(tree)
        return str(place)

    def _export(self, tree: str, place: Path) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(prefix="new-", dir=self._folder))
        try:
            for path, executable, data in self._read(tree):
                target = fresh.joinpath(*PurePosixPath(path).parts)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(data)
                target.chmod(0o755 if executable else 0o644)
            os.rename(fresh, place)
        except OSError:
            shutil.rmtree(fresh, ignore_errors=True)
            if not place.is_dir():
                raise
        except BaseException:
            shutil.rmtree(fresh, ignore_errors=True)
            raise
