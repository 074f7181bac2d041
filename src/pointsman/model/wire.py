"""The nouns to plain JSON and back, losing nothing: what is stored, hashed and sent between processes. Pure.

Fields that have their default are left out, so a row of a pending step is `{}`. Reading is compiled once per class.
"""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from enum import Enum
from functools import cache
from types import UnionType
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from pointsman.model import event as events
from pointsman.model.event import Event
from pointsman.model.plan import Plan
from pointsman.model.values import Json, JsonObject, canonical, digest

T = TypeVar("T")
Reader = Callable[[Any], Any]


def to_json(value: Any) -> Json:  # noqa: ANN401 - any of the model's values
    """Plain JSON for a model value; tuples become lists, enums their values."""
    if isinstance(value, Enum):
        return cast("Json", value.value)
    if isinstance(value, str | int | float | None):
        return value
    if isinstance(value, Mapping):
        return {key: to_json(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [to_json(item) for item in value]
    result: JsonObject = {}
    for name, default in _defaults(cast("Hashable", type(value))):
        item = getattr(value, name)
        if item != default:
            result[name] = to_json(item)
    return result


def from_json(kind: type[T], data: Json) -> T:
    """The model value that `to_json` made this from; `ValueError` says which field does not fit."""
    return cast("T", _reader(cast("Hashable", kind))(data))


def event_to_json(event: Event) -> JsonObject:
    """An event without its type, which the log keeps in a column of its own."""
    data = cast("JsonObject", to_json(event))
    data.pop("type", None)
    return data


def event_from_json(kind: str, data: Json) -> Event:
    """The event of this type; `ValueError` if there is no such type."""
    if kind not in EVENTS:
        raise ValueError(f"there is no event type {kind!r}")
    return cast("Event", from_json(EVENTS[kind], data))


def plan_digest(plan: Plan) -> str:
    """The SHA-256 over everything in a plan but its digest."""
    body = cast("JsonObject", to_json(plan))
    body.pop("digest", None)
    return digest(body)


def plan_text(plan: Plan) -> str:
    """A plan as canonical JSON."""
    return canonical(to_json(plan))


EVENTS: Mapping[str, type[Any]] = {
    str(kind.__dataclass_fields__["type"].default): kind
    for kind in vars(events).values()
    if isinstance(kind, type) and is_dataclass(kind) and "type" in kind.__dataclass_fields__
}


@cache
def _defaults(kind: Hashable) -> tuple[tuple[str, Any], ...]:
    """Each field with the value at which it is left out."""
    return tuple((entry.name, _default(entry)) for entry in fields(cast("Any", kind)))


def _default(entry: "Field[Any]") -> Any:  # noqa: ANN401 - a default may be anything
    if entry.default is not MISSING:
        return entry.default
    return entry.default_factory() if entry.default_factory is not MISSING else MISSING


@cache
def _reader(kind: Any) -> Reader:  # noqa: ANN401 - a type or a generic alias
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return _union_reader(kind, arguments)
    if origin is Literal:
        return _checked(lambda value: value in arguments, f"one of {arguments}")
    if origin is tuple:
        item = _reader(arguments[0])
        return lambda value: tuple(item(element) for element in _expect(value, list))
    if origin in (dict, Mapping) or (isinstance(origin, type) and issubclass(origin, Mapping)):
        item = _reader(arguments[1])
        return lambda value: {key: item(element) for key, element in _expect(value, dict).items()}
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind
    if is_dataclass(kind):
        return _record_reader(cast("type", kind))
    return _plain_reader(kind)


def _record_reader(kind: type) -> Reader:
    hints = get_type_hints(kind, localns={"Json": Any})  # the alias is recursive: a name only type checkers resolve
    readers = {entry.name: _reader(hints[entry.name]) for entry in fields(kind)}

    def read(value: Any) -> Any:  # noqa: ANN401
        data = _expect(value, dict)
        try:
            return kind(**{name: readers[name](item) for name, item in data.items()})
        except KeyError as error:
            raise ValueError(f"{kind.__name__} has no field {error}") from None
        except TypeError as error:
            raise ValueError(str(error)) from None

    return read


def _union_reader(kind: Any, arguments: tuple[Any, ...]) -> Reader:  # noqa: ANN401
    others = [argument for argument in arguments if argument is not type(None)]
    if len(others) == 1:
        inner = _reader(others[0])
        return lambda value: None if value is None else inner(value)
    if any(is_dataclass(argument) for argument in others):
        raise TypeError(f"cannot tell the members of {kind} apart")
    return lambda value: value


def _plain_reader(kind: Any) -> Reader:  # noqa: ANN401
    if kind is float:
        return lambda value: float(_expect(value, (int, float)))
    if kind in (str, int, bool):
        return lambda value: _expect(value, kind)
    return lambda value: value


def _checked(fits: Callable[[Any], bool], words: str) -> Reader:
    def read(value: Any) -> Any:  # noqa: ANN401
        if not fits(value):
            raise ValueError(f"{value!r} is not {words}")
        return value

    return read


def _expect(value: Any, kind: Any) -> Any:  # noqa: ANN401
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise ValueError(f"{value!r} is not a {getattr(kind, '__name__', 'number')}")
    return value
