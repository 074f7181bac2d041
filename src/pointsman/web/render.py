"""The pages' templates: strict about what they are given, and escaping everything that is not markup of their own."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from jinja2 import Environment, PackageLoader, StrictUndefined

from pointsman.web.log import LogLine
from pointsman.web.present import DetailView, RunView
from pointsman.web.railway import RowView
from pointsman.web.records import RecordLine
from pointsman.web.states import SIGNS, WORDS, icon
from pointsman.web.words import counted


@dataclass(frozen=True, slots=True)
class Flash:
    """What a person is told at the top of the next page."""

    text: str
    good: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What stands around every page. `me` is empty before login; `now` lets the script count in the server's time.

    `csrf` goes into every form. `inbox` counts the gates that this person may decide. `may_log_out` is false for the
    one operator of a daemon without users.
    """

    me: str = ""
    csrf: str = ""
    inbox: int = 0
    may_log_out: bool = True
    flash: Flash | None = None
    now: float = 0


def render(name: str, **view: object) -> str:
    """A template filled in. Every page takes `frame`; a value that is missing is an error, never an empty place."""
    return ENVIRONMENT.get_template(name).render(view)


def fragments(
    *,
    run: RunView | None = None,
    rows: Iterable[RowView] = (),
    detail: DetailView | None = None,
    lines: Sequence[LogLine] = (),
    entries: Sequence[RecordLine] = (),
) -> str:
    """The data of an `event: html` of the live stream: what changed of a run's page.

    They replace `#banner`, `#row-KEY` and `#detail`, and are appended to `#log` and `#record`. `lines` belong to the
    log of the step that is shown already, never to that of a `detail` beside them.
    """
    return render("_live.html", run=run, rows=tuple(rows), detail=detail, lines=lines, entries=entries)


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("pointsman.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters["icon"] = icon
    environment.filters["counted"] = counted
    shared: Mapping[str, object] = {"SIGNS": SIGNS, "WORDS": WORDS}
    environment.globals.update(shared)
    return environment


ENVIRONMENT = _environment()
