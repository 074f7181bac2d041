"""What the live stream of a run's page says beside its fragments: how far it is, and the tab's title. Pure.

Each message has an id, the `Mark` after it; `after=` and `Last-Event-ID` carry it back. `event: html` holds fragments
(`_live.html`), `event: title` what `title_data` makes, `event: done` tells that nothing more will come.
"""

import json
import re
from dataclasses import dataclass
from typing import Self

_MARK = re.compile(r"(\d{1,15})(?:-(\d{1,15}))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Mark:
    """How much a page has seen: the run's last event, and the bytes of the chosen step's log."""

    seq: int
    offset: int = 0

    @classmethod
    def parse(cls, text: str) -> Self:
        """The mark that was written as `12-2048` or `12`; the beginning of everything if it is none."""
        found = _MARK.fullmatch(text)
        return cls(int(found[1]), int(found[2] or 0)) if found else cls(0)

    def __str__(self) -> str:
        return f"{self.seq}-{self.offset}"


def title_data(title: str, icon: str) -> str:
    """The data of an `event: title`: the tab's title and its icon's address."""
    return json.dumps({"title": title, "icon": icon})
