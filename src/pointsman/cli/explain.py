"""`pointsman explain`: what a target's actions see, and which line of which commit says so."""

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import click

from pointsman.cli.checkout import Checkout
from pointsman.cli.options import json_option, repository_options
from pointsman.cli.output import clean, painted, put, put_json
from pointsman.cli.standing import Standing, standing, target_named
from pointsman.editor.explained import (
    ExplainedValue,
    Setting,
    explained,
    merged_properties,
    template_version,
)
from pointsman.model.inventory import Action, Target
from pointsman.model.problem import NotFound, Place
from pointsman.model.source import Source
from pointsman.model.values import canonical
from pointsman.repo.blame import Origin, Origins

WIDEST_VALUE = 48
_SHOWN_ID = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class _Explained:
    """A target with the commit that its template is taken from, empty if it stands in the same tree."""

    target: Target
    version: str
    pinned: str
    origins: Origins | None

    def origin(self, place: Place) -> Origin:
        """The commit that a line comes from."""
        template = self.target.template
        elsewhere = self.pinned if template is not None and place.path == template.file else ""
        return self.origins.of(place, commit=elsewhere) if self.origins else Origin()


@click.command(epilog="Example: pointsman explain prod/assets/managed_server")
@click.argument("target", metavar="TARGET")
@click.option("--ref", metavar="REF", help="Look at a branch, tag or commit instead of the working tree.")
@json_option
@repository_options
def explain(target: str, ref: str | None, folder: Path, root: str | None, *, as_json: bool) -> None:
    """Print the merged properties of a target, and for each value the file, line and commit that it comes from.

    TARGET is a path, or the end of one that is unique. What a value overrode stands below it, latest first; then the
    actions, with where they are defined.
    """
    checkout = Checkout(folder, root)
    stands = standing(checkout, ref)
    found = target_named(target, stands)
    version = template_version(found, stands.source)
    pinned = checkout.reading.definitions.version_commit(version) if version else ""
    told = _Explained(target=found, version=version, pinned=pinned, origins=_origins(checkout, stands))
    if as_json:
        put_json(_as_json(told))
    else:
        _put_text(told)


def _origins(checkout: Checkout, stands: Standing) -> Origins | None:
    """Where lines come from; nothing in a folder that is no repository."""
    if not checkout.is_repository:
        return None
    commit = stands.commit
    if not commit and checkout.repository.head_is_unborn is False:
        commit = checkout.reading.resolve("HEAD")

    @cache
    def committed() -> Source:
        return checkout.reading.definitions.source(commit)

    edited = None if stands.commit else lambda path: _text(stands.source, path)
    return Origins(checkout.repository, commit, committed=lambda path: _text(committed(), path), edited=edited)


def _text(source: Source, path: str) -> str:
    entry = source.entries.get(path.removeprefix(source.prefix))
    if entry is None or entry.data is None:
        raise NotFound(f"there is no file {path}")
    return entry.data.decode("utf-8", "replace")


# JSON


def _as_json(told: _Explained) -> dict[str, Any]:
    target, template = told.target, told.target.template
    return {
        "target": target.path,
        "kind": target.kind.value,
        "name": target.name,
        "description": target.description,
        "file": target.file,
        "template": {
            "path": template.path,
            "file": template.file,
            "version": told.version or None,
            "commit": told.pinned or None,
        }
        if template
        else None,
        "properties": merged_properties(target),
        "values": [
            {
                "name": value.name,
                **_setting_json(value.setting, told),
                "overrode": [_setting_json(one, told) for one in value.overrode],
            }
            for value in explained(target)
        ],
        "actions": [
            {"name": action.name, "description": action.description, **_place_json(action.place, told)}
            for action in _actions(target)
        ],
    }


def _setting_json(setting: Setting, told: _Explained) -> dict[str, Any]:
    return {"value": setting.value, "level": setting.level, **_place_json(setting.place, told)}


def _place_json(place: Place, told: _Explained) -> dict[str, Any]:
    origin = told.origin(place)
    commit = origin.commit
    return {
        "path": place.path,
        "line": place.line,
        "column": place.column,
        "uncommitted": origin.uncommitted,
        "commit": {
            "id": commit.id,
            "author": commit.author,
            "committed_at": commit.committed_at,
            "subject": commit.subject,
        }
        if commit
        else None,
    }


def _actions(target: Target) -> Iterable[Action]:
    return target.template.actions.values() if target.template else ()


# Text


def _put_text(told: _Explained) -> None:
    target = told.target
    named = "" if target.name == target.path.rsplit("/", 1)[1] else f" {target.name}"
    put(f"{painted(target.path, sys.stdout, bold=True)}  {target.kind.value}{clean(named)}")
    if target.description:
        put(f"  {target.description}")
    if target.template:
        at = f" at {told.version}, commit {told.pinned[:_SHOWN_ID]}" if told.version else ""
        put(f"  template {target.template.path}{at}")
    put("")
    rows = [row for value in explained(target) for row in _value_rows(value, told)]
    _put_rows(("PROPERTY", "VALUE", "LEVEL", "PLACE", "COMMIT"), rows, nothing="no properties")
    put("")
    actions = [(False, _action_row(action, told)) for action in _actions(target)]
    _put_rows(("ACTION", "DESCRIPTION", "PLACE", "COMMIT"), actions, nothing="no actions")


Row = tuple[bool, tuple[str, ...]]


def _value_rows(value: ExplainedValue, told: _Explained) -> Iterator[Row]:
    """The value, and faintly what it overrode."""
    yield False, (value.name, *_setting_row(value.setting, told))
    for one in value.overrode:
        yield True, ("  overrode", *_setting_row(one, told))


def _setting_row(setting: Setting, told: _Explained) -> tuple[str, ...]:
    value = canonical(setting.value)
    shown = value if len(value) <= WIDEST_VALUE else f"{value[: WIDEST_VALUE - 1]}…"
    return (shown, setting.level, *_place_row(setting.place, told))


def _action_row(action: Action, told: _Explained) -> tuple[str, ...]:
    description = " ".join(action.description.split())
    shown = description if len(description) <= WIDEST_VALUE else f"{description[: WIDEST_VALUE - 1]}…"
    return (action.name, shown, *_place_row(action.place, told))


def _place_row(place: Place, told: _Explained) -> tuple[str, str]:
    origin = told.origin(place)
    where = f"{place.path}:{place.line}"
    if origin.uncommitted:
        return where, "not committed"
    return where, f"{origin.commit.id[:_SHOWN_ID]} {origin.commit.author}" if origin.commit else ""


def _put_rows(headings: tuple[str, ...], rows: list[Row], *, nothing: str) -> None:
    if not rows:
        put(nothing)
        return
    cells = [tuple(clean(cell).replace("\n", " ") for cell in row) for _, row in rows]
    widths = [max(len(row[index]) for row in (headings, *cells)) for index in range(len(headings))]
    put(painted(_aligned(headings, widths), sys.stdout, bold=True))
    for (faint, _), row in zip(rows, cells, strict=True):
        line = _aligned(row, widths)
        if faint:
            put(painted(line, sys.stdout, dim=True))
        else:
            name = row[0].ljust(widths[0])
            put(f"{painted(name, sys.stdout, 'cyan')}{line[len(name) :]}")


def _aligned(row: tuple[str, ...], widths: list[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
