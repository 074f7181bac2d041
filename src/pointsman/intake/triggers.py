"""What starts runs by itself: publications and schedules, in one loop that sleeps until something is due."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress

from pointsman.intake.catalog import Catalog
from pointsman.intake.schedules import Schedules
from pointsman.intake.start import Wish
from pointsman.intake.unasked import PUBLISH, UnaskedRuns, run_id
from pointsman.model.problem import PointsmanError, Unavailable
from pointsman.model.values import JsonObject
from pointsman.repo.versions import ordered
from pointsman.store.schedules import PublicationRow, TriggerRows
from pointsman.store.versions import LedgerRow

LONGEST_SLEEP = 30.0
RETRY_AFTER = 10.0

log = logging.getLogger("pointsman.intake")


class TriggerLoop:
    """Starts the runs of publications and schedules. `catalog` gives the present one, `now` seconds since 1970 in UTC.

    What was there at the first look of a new data directory is no news and starts nothing; what appears later does,
    also while the daemon was away.
    """

    def __init__(
        self,
        rows: TriggerRows,
        unasked: UnaskedRuns,
        catalog: Callable[[], Catalog],
        now: Callable[[], float],
    ) -> None:
        self._rows, self._unasked, self._catalog, self._now = rows, unasked, catalog, now
        self.schedules = Schedules(rows, unasked, now)
        self._wake = asyncio.Event()
        self._looked = False
        self._behind = False

    def published(self, rows: Iterable[LedgerRow]) -> None:
        """Versions with `on: {publish: true}` are being entered, in the transaction that is open now."""
        if not self._looked and not self._rows.first_look_is_over():
            return
        for row in rows:
            self._rows.add_publication(
                PublicationRow(
                    workflow=row.workflow, version=row.version, shown=row.shown, tag=row.tag, tagger=row.tagger
                )
            )

    def looked(self) -> None:
        """There was a look at the refs: the catalog is another one."""
        self._looked = self._behind = True
        with suppress(Unavailable):  # then `act` does it, as soon as the disk takes it
            self._catch_up()
        self._wake.set()

    def _catch_up(self) -> None:
        with self._rows.transaction():
            self._rows.end_first_look()
            self.schedules.follow(self._catalog())
        self._behind = False

    async def run(self) -> None:
        """Start what is due, until cancelled. One sleep for all schedules: until the first of them, or until a look."""
        while True:
            self._wake.clear()
            seconds = await self._acted()
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._wake.wait()

    async def _acted(self) -> float | None:
        try:
            return await self.act()
        except PointsmanError as error:
            log.warning("runs cannot be started by themselves now: %s", error.says)
        except Exception:
            log.exception("starting runs by themselves failed")
        return RETRY_AFTER

    async def act(self) -> float | None:
        """Start what is due; how many seconds may be slept then, None without end. `Unavailable`: try again soon.

        It is never long: the clock of the machine may be set, and stands still for timers while the machine sleeps.
        """
        if not self._looked or self._unasked.stopping:
            return None
        if self._behind:
            self._catch_up()
        trouble: Unavailable | None = None
        for start in (self._start_published, self.schedules.start_due):
            try:
                await start()
            except Unavailable as error:
                trouble = error
        if trouble is not None:
            raise trouble
        due = self.schedules.next_due()
        return None if due is None else min(max(due - self._now(), 0.0), LONGEST_SLEEP)

    async def _start_published(self) -> None:
        for row in _in_order(self._rows.due_publications()):
            if self._unasked.stopping:
                return
            if not self._is_listed(row):
                continue  # the look that entered it is not over, and will wake the loop
            metadata: JsonObject = {"trigger": "publish", "tag": row.tag}
            wish = Wish(
                workflow=row.workflow,
                version=row.shown,
                metadata={**metadata, "tagger": row.tagger} if row.tagger else metadata,
                run_id=run_id("publish", row.workflow, row.version),
            )
            outcome = await self._unasked.start(PUBLISH, wish)
            with self._rows.transaction():
                if outcome.says:
                    body: JsonObject = {"version": row.shown, "trigger": "publish", "says": outcome.says}
                    self._unasked.tell_refused(PUBLISH, row.workflow, body)
                self._rows.settle_publication(row, run=outcome.run, says=outcome.says)

    def _is_listed(self, row: PublicationRow) -> bool:
        entry = self._catalog().workflows.get(row.workflow)
        return entry is not None and any(one.version == row.version for one in entry.versions)

    def publication(self, workflow: str, version: str) -> PublicationRow | None:
        """What came of the publication of a version; None if it was to start nothing."""
        return self._rows.publication(workflow, version)


def _in_order(rows: Sequence[PublicationRow]) -> list[PublicationRow]:
    """By workflow, and within one by version."""
    places = {version: place for place, version in enumerate(ordered({row.version for row in rows}))}
    return sorted(rows, key=lambda row: (row.workflow, places[row.version]))
