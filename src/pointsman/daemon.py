"""The daemon: the one place where everything is wired, and its start and stop."""

import asyncio
import fcntl
import logging
import os
import socket
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from pointsman import __version__
from pointsman.access.login import Login
from pointsman.access.people import NoDirectory
from pointsman.act.specification import StepLimits
from pointsman.engine.accounts import StoredAccounts
from pointsman.engine.carrier import Surroundings
from pointsman.engine.decide import Gates
from pointsman.engine.local import Engine
from pointsman.intake.alarms import Alarms
from pointsman.intake.follow import Follower
from pointsman.intake.followed import Follow
from pointsman.intake.known_verdicts import KnownVerdicts
from pointsman.intake.readers import Readers
from pointsman.intake.start import Starter
from pointsman.intake.triggers import TriggerLoop
from pointsman.intake.unasked import UnaskedRuns
from pointsman.intake.validator import validator_id
from pointsman.model.problem import Refused, Unavailable
from pointsman.repo.files import folder_at
from pointsman.repo.mirror import Mirror
from pointsman.repo.opening import open_repository
from pointsman.settings import Settings
from pointsman.store.database import Database
from pointsman.store.events import Events
from pointsman.store.schedules import TriggerRows
from pointsman.store.verdicts import VerdictRows
from pointsman.web.app import build_app
from pointsman.web.office import Office
from pointsman.web.server import bound, server_for

log = logging.getLogger("pointsman")

README = """This folder is the state of a Pointsman daemon. Do not edit it by hand.

state.db    runs, events, versions, accounts (SQLite; with state.db-wal and state.db-shm)
runs/       one folder a run: logs, exit records and locks of its steps
mirror.git/ the repository, if it is fetched from a URL; made again when missing
bundles/    template folders, by the id of their Git tree; made again when missing
work/       working copies of steps under way
daemon.lock held by the daemon that uses this folder
"""
SWEEP_SECONDS = 3600
ANSWERS_KEPT_SECONDS = 7 * 86400
SESSION_SECONDS = 12 * 3600


@dataclass(slots=True)
class Daemon:
    """Everything that runs in one process."""

    settings: Settings
    database: Database
    engine: Engine
    readers: Readers
    follower: Follower
    office: Office

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """The engine and the follower at work; on the way out nothing new starts, and what runs goes on (R113)."""
        self.engine.start()
        at_work = (self.follower.run(), self.office.triggers.run(), self._swept())
        tasks = [asyncio.create_task(work) for work in at_work]
        try:
            yield
        finally:
            self.engine.drain()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self.engine.close()
            await self.readers.close()
            self.database.close()

    async def _swept(self) -> None:
        """Forget now and then what nobody can ask for any more: old answers and old sessions."""
        while True:
            now = time.time()
            try:
                self.office.accounts.rows.write("delete_old_answers", before=now - ANSWERS_KEPT_SECONDS)
                self.office.accounts.delete_sessions_before(now - SESSION_SECONDS)
            except Unavailable as error:
                log.warning("%s", error.says)
            await asyncio.sleep(SWEEP_SECONDS)


def build(settings: Settings, *, external_url: str, port: int) -> Daemon:
    """A daemon, ready to run, on the data directory that the caller has locked and the port that it has bound."""
    database = Database(settings.data / "state.db")
    epoch = database.new_epoch(time.time(), boot_id())
    events, accounts = Events(database), StoredAccounts(database)
    mirror = mirror_of(settings)
    repository = open_repository(settings.followed)
    around = Surroundings(
        data=settings.data,
        limits=step_limits(settings),
        external_url=external_url,
        boot=boot_id(),
        tree_files=lambda tree: folder_at(repository, tree),
    )
    engine = Engine(database, around, workers=settings.workers, epoch=epoch, now=time.time)
    readers = Readers(settings.followed, settings.root, settings.data)
    directory = NoDirectory()
    starter = Starter(engine, readers, directory, lambda: follower.catalog)
    unasked = UnaskedRuns(starter, engine, events, time.time)
    triggers = TriggerLoop(TriggerRows(database), unasked, lambda: follower.catalog, time.time)

    async def looked() -> None:
        triggers.looked()
        engine.feed.tell(None)

    follower = Follower(
        Follow(
            repository=settings.followed,
            mirror=mirror,
            inventory_branch=settings.inventory_branch,
            poll_seconds=settings.poll_seconds,
        ),
        readers,
        Alarms(database, events),
        KnownVerdicts(VerdictRows(database, validator_id(settings.root))),
        users=lambda: tuple(accounts.rows.users()) or None,
        now=time.time,
        on_look=looked,
        on_publish=triggers.published,
    )
    office = Office(
        engine=engine,
        events=events,
        readers=readers,
        gates=Gates(engine, directory),
        starter=starter,
        follower=follower,
        triggers=triggers,
        accounts=accounts,
        login=Login(accounts),
        directory=directory,
        operator=settings.operator,
        hosts=_hosts(settings, external_url, port),
        secret=database.fact("secret", os.urandom(32).hex()),
        external_url=external_url,
        version=__version__,
        now=time.time,
    )
    return Daemon(settings, database, engine, readers, follower, office)


def mirror_of(settings: Settings) -> Mirror | None:
    """The mirror that is followed, ready to be fetched into, if the repository is a URL."""
    if isinstance(settings.repository, Path):
        return None
    mirror = Mirror(settings.repository, settings.followed, os.environ)
    mirror.prepare()
    return mirror


def step_limits(settings: Settings) -> StepLimits:
    """What the configuration says about steps, with the variables of this process that they may see."""
    steps = settings.steps
    return StepLimits(
        path=steps.path,
        pass_environment=tuple(steps.pass_environment),
        grace_seconds=steps.grace_seconds,
        log_limit_bytes=steps.log_limit_bytes,
        environ=os.environ,
    )


def boot_id() -> str:
    """What is another one after each boot of the machine."""
    return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()


def locked(data: Path) -> int:
    """A handle that keeps other daemons off this data directory; `Refused`, naming the other one, if there is one."""
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle = os.open(data / "daemon.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        other = os.read(handle, 200).decode("utf-8", "replace").strip() or "unknown"
        os.close(handle)
        raise Refused(
            f"{data} is in use by another daemon: {other}", hint="stop that one, or give this one --data"
        ) from None
    try:
        os.ftruncate(handle, 0)
        os.write(handle, f"process {os.getpid()}".encode())
        (data / "README").write_text(README, "utf-8")
    except OSError as error:
        os.close(handle)
        raise Unavailable(
            f"{data} cannot be written: {os.strerror(error.errno or 0)}", hint="make room on its disk, or give --data"
        ) from error
    return handle


async def _serve(settings: Settings, listener: socket.socket) -> None:
    host, port = listener.getsockname()[:2]
    url = settings.external_url or f"http://{f'[{host}]' if ':' in host else host}:{port}"
    daemon = build(settings, external_url=url.rstrip("/"), port=port)
    _check_open_door(daemon, settings)
    server = server_for(build_app(daemon.office))
    async with daemon.running():
        server.stop_on_signals(daemon.engine.drain)
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        ready = asyncio.create_task(daemon.follower.ready.wait())
        await asyncio.wait({serving, ready}, return_when=asyncio.FIRST_COMPLETED)
        if not serving.done():
            print(f"pointsman is ready at {url}", flush=True)  # noqa: T201 - the one line that serve promises
        try:
            await serving
        finally:
            ready.cancel()


def _check_open_door(daemon: Daemon, settings: Settings) -> None:
    if daemon.office.operator_mode and not settings.is_loopback:
        raise Refused(
            f"without users, {settings.listen} is refused: whoever reaches it would be the operator",
            hint="add one with: pointsman user add NAME, or listen on 127.0.0.1",
        )


def _hosts(settings: Settings, external_url: str, port: int) -> frozenset[str]:
    """The names under which this daemon answers: that of its own URL, and those of this machine for who asks on it."""
    url = urlsplit(external_url)
    here = ("localhost", "127.0.0.1", "[::1]", f"[{settings.host}]" if ":" in settings.host else settings.host)
    names = {f"{name}:{number}" for name in here for number in (port, url.port or port)} | {url.netloc}
    # browsers leave out the port that goes without saying
    names |= {name.removesuffix(f":{usual}") for name in names for usual in (80, 443)}
    return frozenset(name.lower() for name in names)


def serve(settings: Settings) -> None:
    """Run the daemon until it is told to stop. Raises `PointsmanError` if it cannot start."""
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    for chatty in ("watchfiles", "httpx"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    logging.getLogger("asyncio").setLevel(logging.ERROR)  # it warns of every reader that goes away
    here = settings.repository if isinstance(settings.repository, Path) else settings.repository.path
    if here is not None:
        open_repository(here)
    handle = locked(settings.data)
    listener = bound(settings.host, settings.port)
    try:
        asyncio.run(_serve(settings, listener))
    finally:
        listener.close()
        os.close(handle)
