"""A target's merged properties, with who set each value, who set it before, and in which file and line (R101). Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pointsman.load.marked_yaml import parsed
from pointsman.load.nodes import Scalar, entry
from pointsman.model.inventory import Layer, Target
from pointsman.model.problem import Place
from pointsman.model.source import Source
from pointsman.model.values import Json, JsonObject, merged

Way = tuple[str, ...]

_LEVELS = {
    "pointsman.yaml": "repository",
    "project.yaml": "project",
    "environment.yaml": "environment",
    "template.yaml": "template",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A value as one level set it: repository, project, environment, template or asset."""

    value: Json
    level: str
    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainedValue:
    """One value among the merged properties, by its dotted name; `overrode` is what stood before it, latest first."""

    name: str
    setting: Setting
    overrode: tuple[Setting, ...] = ()


def merged_properties(target: Target) -> JsonObject:
    """The properties of a target as its actions see them, without a step's overrides (R100)."""
    properties: JsonObject = {}
    for layer in target.layers:
        properties = merged(properties, layer.properties)
    return properties


def explained(target: Target) -> tuple[ExplainedValue, ...]:
    """Every value of the merged properties that is no object with something in it, in the order of their names."""
    found = []
    for way, _ in _leaves(merged_properties(target)):
        settings = [setting for layer in target.layers if (setting := _set_by(layer, way)) is not None]
        found.append(ExplainedValue(name=".".join(way), setting=settings[-1], overrode=tuple(reversed(settings[:-1]))))
    return tuple(sorted(found, key=lambda one: one.name))


def level_of(layer: Layer) -> str:
    """Which of the levels a layer belongs to, by the name of its file."""
    return _LEVELS.get(layer.file.rsplit("/", 1)[-1], "asset")


def _leaves(value: JsonObject, way: Way = ()) -> Iterator[tuple[Way, Json]]:
    for key, inner in value.items():
        if isinstance(inner, dict) and inner:
            yield from _leaves(inner, (*way, key))
        else:
            yield (*way, key), inner


def _set_by(layer: Layer, way: Way) -> Setting | None:
    """What a layer has at the end of a way, or instead of an object on it; None if it says nothing there."""
    here: Json = layer.properties
    for length, key in enumerate(way):
        if not isinstance(here, dict):
            return _setting(layer, way[:length], here)
        if key not in here:
            return None
        here = here[key]
    return _setting(layer, way, here)


def _setting(layer: Layer, way: Sequence[str], value: Json) -> Setting:
    place = layer.places.get(".".join(way), Place(layer.file))
    return Setting(value=value, level=level_of(layer), place=place)


def template_version(target: Target, source: Source) -> str:
    """The `template_version` that a target's file names; empty if it names none."""
    found = source.entries.get(target.file.removeprefix(source.prefix))
    node = None if found is None or found.data is None else parsed(found.data, target.file)[0]
    version = entry(node, "template_version")
    return version.text if isinstance(version, Scalar) else ""
