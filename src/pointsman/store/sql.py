"""Named queries from `.sql` files: each begins with `-- name --` and a sentence."""

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

_NAMED = re.compile(r"^-- (\w+) --$", re.MULTILINE)


@cache
def queries(name: str) -> Mapping[str, str]:
    """The queries of `queries/<name>.sql`, by their names."""
    text = (files("pointsman.store") / "queries" / f"{name}.sql").read_text("utf-8")
    parts = _NAMED.split(text)[1:]
    return dict(zip(parts[::2], (body.strip() for body in parts[1::2]), strict=True))


def migrations() -> list[tuple[int, str]]:
    """Every migration with its number, in order; each is run whole and holds its own transaction."""
    folder = files("pointsman.store") / "migrations"
    found = [(int(entry.name[:4]), entry.read_text("utf-8")) for entry in folder.iterdir() if entry.name[:4].isdigit()]
    return sorted(found)
