"""A mirror of a repository that lives elsewhere: its branches and tags, fetched again and again.

Whoever may push there may push anything. git checks every object as it comes, and refuses all that is fetched together
with a bad one; therefore what fails is fetched again in halves, until the bad refs are alone and can be named.
"""

import asyncio
import logging
import shutil
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pygit2

from pointsman.model.problem import NotFound, PointsmanError, Unavailable
from pointsman.repo.git_program import GitProgram
from pointsman.repo.printable import printable_name
from pointsman.repo.remote import Remote
from pointsman.repo.targets import BRANCHES, TAGS, is_ref_name, read_targets

LIST_SECONDS = 60
FETCH_SECONDS = 600
LONGEST_WAIT_SECONDS = 300
_SPLIT_SECONDS = 120  # fetching in halves goes on at the next round
_BAD_SECONDS = 15  # what could not be fetched is tried again after that, then after twice as long, and so on
_LONGEST_BAD_SECONDS = 3600
_MOST_LOOSE = 1_000  # a look costs 30 times as much for a ref that is not packed
_MOST_NAMED = 500  # git takes quadratic time over more names than that

_COMPLETE = "pointsman-fetched"
_QUIETLY = (
    "fetch", "--quiet", "--no-tags", "--no-recurse-submodules", "--no-auto-maintenance", "--no-write-fetch-head",
    "--stdin", "--end-of-options",
)  # fmt: skip
_EVERYTHING = tuple(f"+{prefix}*:{prefix}*" for prefix in (BRANCHES, TAGS))

log = logging.getLogger("pointsman.repo")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bad:
    """A ref that could not be fetched: what it named, why, how often, and when to try again (a monotonic time)."""

    object_id: str
    says: str
    times: int
    again_at: float


class Mirror:
    """The mirror of `remote` in `folder`. `trouble` says why it is not up to date; it is empty while it is.

    `unusable` has a sentence for each ref that could not be fetched, by its full name. Such a ref stays where it was.
    """

    def __init__(self, remote: Remote, folder: Path, environ: Mapping[str, str]) -> None:
        self.remote, self.folder = remote, folder
        self.trouble = ""
        self.unusable: Mapping[str, str] = {}
        self._git = GitProgram(folder, remote, environ)
        self._bad: dict[str, _Bad] = {}
        self._woken = asyncio.Event()
        self._fetching = asyncio.Lock()

    def prepare(self) -> None:
        """See to it that there is a repository to fetch into. `NotFound` or `Unavailable` if there cannot be."""
        if shutil.which("git") is None:
            raise NotFound(f"{self.remote.shown} needs the git program, which is not on PATH", hint="install git")
        if (self.folder / "HEAD").exists():
            self._sweep()
            return
        try:
            pygit2.init_repository(str(self.folder), bare=True, initial_head="main")
        except (pygit2.GitError, OSError) as error:
            raise Unavailable(f"{self.folder} cannot be made: {error}", hint="make room on its disk") from error

    def wake(self) -> None:
        """Fetch now: a webhook or a person says that something has moved."""
        self._woken.set()

    async def rounds(self, *, poll_seconds: float) -> AsyncIterator[None]:
        """Yields after every fetch, good or bad, and once before the first: what was fetched earlier is good to go on.

        Never before there was one complete fetch: half of the refs would look as if the others were deleted. A fetch
        every `poll_seconds`, and less and less often while it fails, at least every five minutes.
        """
        failures = 0
        if self._is_complete():
            yield
        while True:
            self._woken.clear()
            failures = failures + 1 if await self._failed() else 0
            if self._is_complete():
                yield
            pause = min(poll_seconds * 2.0 ** min(failures, 20), max(poll_seconds, LONGEST_WAIT_SECONDS))
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._woken.wait()

    async def _failed(self) -> bool:
        """Whether a fetch failed; `trouble` then says why."""
        try:
            await self.fetch()
        except PointsmanError as error:
            says = f"{self.remote.shown} cannot be fetched: {error.says}"
            if says != self.trouble:
                log.warning("%s; %s", says, error.hint)
        except Exception:
            log.exception("fetching %s failed", self.remote.shown)
            says = f"{self.remote.shown} cannot be fetched; the log has the reason"
        else:
            says = ""
        if self.trouble and not says:
            log.info("%s is fetched again", self.remote.shown)
        self.trouble = says
        return bool(says)

    async def fetch(self) -> None:
        """Make branches and tags what they are at the remote. `Unavailable` with the reason if that is not possible."""
        async with self._fetching:
            there, strange = await self._listed()
            before = await asyncio.to_thread(read_targets, self.folder)
            here = before.whole()
            self._bad = {name: bad for name, bad in self._bad.items() if there.get(name) == bad.object_id}
            known = {name for name, bad in self._bad.items() if time.monotonic() < bad.again_at}
            # first: a branch may be gone for one whose folder it would be
            await self._delete([name for name in here if name not in there])
            wanted = [name for name, object_id in there.items() if here.get(name) != object_id and name not in known]
            try:
                if wanted:
                    await self._bring(wanted, there)
            finally:
                self.unusable = {**strange, **{name: _sentence(bad, name in here) for name, bad in self._bad.items()}}
            if not self._is_complete():
                (self.folder / _COMPLETE).write_text(self.remote.url, "utf-8")
            if wanted:
                await self._tidy(loose=len(before.loose) + len(wanted))

    def _is_complete(self) -> bool:
        try:
            return (self.folder / _COMPLETE).read_text("utf-8") == self.remote.url
        except OSError:
            return False

    async def _listed(self) -> tuple[dict[str, str], dict[str, str]]:
        """What every branch and tag names at the remote, and a sentence for each that has no proper name."""
        patterns = (f"{BRANCHES}*", f"{TAGS}*")
        command = ("ls-remote", "--quiet", "--refs", "--end-of-options", self.remote.url, *patterns)
        there, strange = dict[str, str](), dict[str, str]()
        for line in (await self._git.output(*command, seconds=LIST_SECONDS)).splitlines():
            object_id, _, raw = line.partition(b"\t")
            name = raw.decode("utf-8", "surrogateescape")
            if not name.startswith((BRANCHES, TAGS)):
                continue
            if is_ref_name(name):
                there[name] = object_id.decode("ascii", "replace")
            else:
                strange[printable_name(raw)] = "its name is not one that Git allows"
        return there, strange

    async def _delete(self, names: Sequence[str]) -> None:
        if names:
            lines = "".join(f"delete {name}\n" for name in names)
            await self._git.output("update-ref", "--no-deref", "--stdin", seconds=FETCH_SECONDS, stdin=lines.encode())

    async def _bring(self, names: list[str], there: Mapping[str, str]) -> None:
        """Fetch these refs, and find out which of them cannot be."""
        waiting = [names]
        if len(names) > _MOST_NAMED:
            apart = self._bad.keys() - set(names)
            if not await self._fetched([*_EVERYTHING, *(f"^{name}" for name in apart)], names):
                return
            waiting = [names[start : start + _MOST_NAMED] for start in range(0, len(names), _MOST_NAMED)][::-1]
        end = time.monotonic() + _SPLIT_SECONDS
        while waiting:
            some = waiting.pop()
            reason = await self._fetched([f"+{name}:{name}" for name in some], some)
            if not reason:
                continue
            if len(some) == 1:
                self._found_bad(some[0], there[some[0]], reason)
                continue
            if time.monotonic() > end:
                raise Unavailable(f"{reason}; the refs at fault are not all found yet", hint="this goes on by itself")
            middle = len(some) // 2
            waiting += [some[middle:], some[:middle]]

    async def _fetched(self, refspecs: Sequence[str], names: Sequence[str]) -> str:
        """Empty if these refs were fetched, or why not. `Unavailable` if the remote does not answer at all now."""
        try:
            lines = "".join(f"{refspec}\n" for refspec in refspecs).encode()
            await self._git.output(*_QUIETLY, self.remote.url, seconds=FETCH_SECONDS, stdin=lines)
        except Unavailable as error:
            self._sweep()
            await self._listed()
            return error.says
        for name in names:
            self._bad.pop(name, None)
        return ""

    def _found_bad(self, name: str, object_id: str, reason: str) -> None:
        times = self._bad[name].times + 1 if name in self._bad else 0
        pause = min(_BAD_SECONDS * 2.0 ** min(times, 20), _LONGEST_BAD_SECONDS)
        self._bad[name] = _Bad(object_id=object_id, says=reason, times=times, again_at=time.monotonic() + pause)

    def _sweep(self) -> None:
        """Remove what a git that was ended has left: packs as large as a file can be, and locks that stop the next."""
        refs = self.folder / "refs"
        left = [self.folder / "packed-refs.lock", *(self.folder / "objects" / "pack").glob("tmp_*")]
        for file in [*left, *(lock for kind in ("heads", "tags") for lock in (refs / kind).rglob("*.lock"))]:
            with suppress(OSError):
                file.unlink()

    async def _tidy(self, *, loose: int) -> None:
        """Let git pack what has come together, once it is worth it. `gc` does not count `loose` refs."""
        try:
            if loose > _MOST_LOOSE:
                await self._git.output("pack-refs", "--all", seconds=FETCH_SECONDS)
            await self._git.output("gc", "--auto", "--quiet", seconds=FETCH_SECONDS)
        except Unavailable as error:
            log.warning("%s cannot be packed: %s", self.folder, error.says)


def _sentence(bad: _Bad, stays: bool) -> str:  # noqa: FBT001 - a condition
    return f"it cannot be fetched{', and stays where it was' if stays else ''}: {bad.says}"
