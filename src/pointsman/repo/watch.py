"""Hints that refs may have moved. A hint may be about nothing, and a lost one is made up for by the clock."""

import asyncio
import logging
import os
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path

from watchfiles import Change, watch

from pointsman.repo.opening import common_folder, open_repository

STEP_MS = 5
DEBOUNCE_MS = 20
IDLE_MS = 100
RETRY_SECONDS = 1.0

_FOLLOWED = ("heads", "tags")
_log = logging.getLogger(__name__)


async def ref_changes(repository_path: Path, *, poll_seconds: float) -> AsyncIterator[None]:
    """Yields at once, then whenever a branch, a tag or `HEAD` may have moved, and at least every `poll_seconds`.

    Many changes together give one hint. Refs that are replaced as a whole, removed and made again, or below new
    folders are noticed; objects and half-written `.lock` files are not. `NotFound` or `Invalid` if there is no
    repository at the start; after that it never fails, it only falls back to the clock.
    """
    folder = common_folder(open_repository(repository_path))
    loop = asyncio.get_running_loop()
    changed = asyncio.Event()
    stop = threading.Event()

    def hint() -> None:
        with suppress(RuntimeError):  # the loop is closed already: nobody wants to know any more
            loop.call_soon_threadsafe(changed.set)

    # a thread of its own: setting up watches on thousands of ref folders takes a second and must not stop the loop
    thread = threading.Thread(target=_watch, args=(folder, hint, stop), name="ref-watch", daemon=True)
    thread.start()
    try:
        while True:
            yield
            with suppress(TimeoutError):
                async with asyncio.timeout(poll_seconds):
                    await changed.wait()
            changed.clear()
    finally:
        stop.set()
        await asyncio.to_thread(thread.join)


def _watch(folder: Path, hint: Callable[[], None], stop: threading.Event) -> None:
    """Hint at every change until `stop`, with new watches whenever the folders have changed."""
    failed = False
    while not stop.is_set():
        try:
            _watch_folders(folder, hint, stop)
            failed = False
        except Exception as error:  # noqa: BLE001 -- watchfiles raises what its Rust side sees fit; polling goes on
            if not failed:
                _log.warning("refs are looked at by the clock alone", extra={"reason": str(error)})
            failed = True
            stop.wait(RETRY_SECONDS)


def _watch_folders(folder: Path, hint: Callable[[], None], stop: threading.Event) -> None:
    """Hint at every change in the folders that exist now; ends when there are others."""
    watched = _ref_folders(folder)
    changes = watch(
        folder,
        *watched,
        watch_filter=_is_about_refs(folder),
        step=STEP_MS,
        debounce=DEBOUNCE_MS,
        rust_timeout=IDLE_MS,
        yield_on_timeout=True,
        stop_event=stop,
        recursive=False,
        raise_interrupt=False,
    )
    first = True
    for change in changes:
        if change or first:  # the first round also stands for what went unseen while the watches were set up
            hint()
        if (first or _touches_folders(change, watched)) and _ref_folders(folder) != watched:
            return
        if not change and _are_replaced(folder, watched):
            return
        first = False


def _ref_folders(folder: Path) -> dict[str, int]:
    """The folders that branches and tags can be in, with the inode of each."""
    waiting = [str(folder / "refs")]
    found: dict[str, int] = {}
    while waiting:
        path = waiting.pop()
        try:
            found[path] = os.stat(path).st_ino  # noqa: PTH116 -- thousands of them
            inside = [entry for entry in os.scandir(path) if entry.is_dir(follow_symlinks=False)]
        except OSError:  # removed meanwhile
            found.pop(path, None)
            continue
        followed = _FOLLOWED if path == str(folder / "refs") else None
        waiting += [entry.path for entry in inside if followed is None or entry.name in followed]
    return found


def _is_about_refs(folder: Path) -> Callable[[Change, str], bool]:
    top, refs = str(folder), f"{folder}/refs/"
    single = {top, f"{top}/refs", f"{top}/packed-refs", f"{top}/HEAD"}

    def is_about_refs(_change: Change, path: str) -> bool:
        return path in single or (path.startswith(refs) and not path.endswith(".lock"))

    return is_about_refs


def _touches_folders(changes: set[tuple[Change, str]], watched: dict[str, int]) -> bool:
    return any(path in watched or os.path.isdir(path) for _, path in changes)  # noqa: PTH112 -- once for every ref


def _are_replaced(folder: Path, watched: dict[str, int]) -> bool:
    """Whether a folder that everything hangs on is another one now, which the watch on the old one does not tell."""
    parts = [str(folder / "refs"), *(str(folder / "refs" / name) for name in _FOLLOWED)]
    return any(_inode(path) != watched.get(path) for path in parts)


def _inode(path: str) -> int | None:
    try:
        return os.stat(path).st_ino  # noqa: PTH116 -- with the ones above
    except OSError:
        return None
