"""Values held against authors' own JSON Schemas: every breach in words, within a bounded amount of work.

Whoever may push may push any schema. Patterns are RE2's, which takes time proportional to the text; every rule that is
applied is counted; nothing is ever fetched.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar
from functools import lru_cache
from itertools import islice
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import ValidationError
from jsonschema.protocols import Validator
from jsonschema.validators import extend
from jsonschema_specifications import REGISTRY  # type: ignore[import-untyped]  # the package has no types
from referencing.exceptions import Unresolvable

from pointsman.load.formats import FORMATS
from pointsman.load.patterns import PatternError, matches
from pointsman.load.schema_words import hint_for, named, sentence, shortfall
from pointsman.model.breach import Breach
from pointsman.model.values import Json, JsonObject, canonical

MOST_BREACHES = 100
MOST_WORK = 100_000
REFERENCE_WORK = 8  # what following a reference takes, beside applying a rule
LETTERS = 256  # so many letters of a text, or names of a schema, take as long as applying a rule
NAMES = 16

Rule = Callable[[Any, Any, Any, Any], Iterator[ValidationError] | None]
_work: ContextVar[list[int]] = ContextVar("work")


class _TooMuchWorkError(Exception):
    """Rules were applied more often than any honest schema needs."""


def breaches(schema: JsonObject, value: Json, *, partial: bool = False) -> tuple[Breach, ...]:
    """Every way in which the value breaks the schema, each once.

    With `partial` the value is known only in part: each of its properties is held against its own schema, and what
    concerns the whole is left out.
    """
    checker = _checker(canonical(schema))
    found = _told_by_property(checker, schema, value) if partial else _told(checker, value)
    return tuple(dict.fromkeys(islice(found, MOST_BREACHES)))


def breaches_by(checker: Validator, value: Json) -> tuple[Breach, ...]:
    """The same by a validator that is at hand."""
    return tuple(dict.fromkeys(islice(_told(checker, value), MOST_BREACHES)))


def breaches_inside(root: JsonObject, schema: Json, value: Json) -> tuple[Breach, ...]:
    """Every way in which the value breaks a schema that is somewhere inside `root`."""
    return breaches_by(_checker(canonical(root)).evolve(schema=schema), value)


def best_fit(root: JsonObject, schema: Json, candidates: Sequence[Json]) -> Json:
    """The first candidate that fits a schema below `root`; failing that the first whose type fits, or just the first.

    A text from a command line or a form may mean several values; the schema says which.
    """
    checker = _checker(canonical(root)).evolve(schema=schema)
    ranked = [(_misfit(checker, candidate), place) for place, candidate in enumerate(candidates)]
    return candidates[min(ranked)[1]]


def values_in(value: Json) -> int:
    """How many values a value holds, itself included."""
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + sum(map(values_in, inside))


def _misfit(checker: Validator, value: Json) -> int:
    """0 for a value that fits, 1 for one of the right type, 2 for any other."""
    rules = {error.validator for error in _errors(checker, value) if isinstance(error, ValidationError)}
    return 0 if not rules else 2 if "type" in rules else 1


def _told(checker: Validator, value: Json, above: tuple[str | int, ...] = ()) -> Iterator[Breach]:
    for error in _errors(checker, value):
        if isinstance(error, str):
            yield Breach(way=above, name=named(above), says=error)
        else:
            yield from _breach(error, above)


def _told_by_property(checker: Validator, schema: JsonObject, value: Json) -> Iterator[Breach]:
    properties = schema.get("properties")
    known = properties if isinstance(properties, dict) else {}
    given = value if isinstance(value, dict) else {}
    for name, item in given.items():
        if name in known:
            yield from _told(checker.evolve(schema=known[name]), item, (name,))
    if schema.get("additionalProperties") is False:
        _work.set([MOST_WORK])
        yield from (_surplus_breach((name,), schema) for name in _surplus(schema, given))


def _errors(checker: Validator, value: Json) -> Iterator[ValidationError | str]:
    """What jsonschema finds; a sentence where the schema cannot be applied at all."""
    _work.set([MOST_WORK])
    try:
        yield from islice(checker.iter_errors(value), MOST_BREACHES)
    except Unresolvable as error:
        yield f"cannot be held against a schema that refers to {named((str(error.ref),))}"
    except RecursionError:
        yield "cannot be held against a schema that refers to itself without end"
    except _TooMuchWorkError:
        yield "cannot be held against a schema that takes so much work; make the schema, or the value, simpler"
    except PatternError:
        yield "cannot be held against a schema with a pattern that RE2 does not know"
    except ArithmeticError:
        yield "holds a number that is too large to be compared"


def _breach(error: ValidationError, above: tuple[str | int, ...]) -> Iterator[Breach]:
    way: tuple[str | int, ...] = (*above, *error.absolute_path)
    schema: Any = error.schema
    value: Any = error.instance
    if error.validator == "required":
        for name in error.validator_value:  # type: ignore[union-attr]  # `required` is a list: the meta-schema says so
            if name not in value:
                inner = (*way, name)
                yield Breach(way=inner, name=named(inner), says=shortfall(schema, name), rule="required")
    elif error.validator == "additionalProperties" and schema.get("additionalProperties") is False:
        for name in _surplus(schema, value):
            inner = (*way, name)
            yield _surplus_breach(inner, schema)
    else:
        wanted: Any = error.validator_value
        hint = hint_for(value, wanted) if error.validator == "enum" else ""
        yield Breach(way=way, name=named(way), says=sentence(error), hint=hint, rule=str(error.validator))


def _surplus_breach(way: tuple[str | int, ...], schema: JsonObject) -> Breach:
    known = schema.get("properties")
    hint = hint_for(str(way[-1]), known if isinstance(known, dict) else ())
    return Breach(way=way, name=named(way), says="is not in the schema", hint=hint, rule="additionalProperties")


# Rules of our own, for those of jsonschema that would search with `re` or compare everything with everything


def _spend(work: int) -> None:
    left = _work.get()
    left[0] -= work
    if left[0] < 0:
        raise _TooMuchWorkError


def _counted(name: str, rule: Rule) -> Rule:
    each = REFERENCE_WORK if name in {"$ref", "$dynamicRef"} else 1

    def counted(validator: Any, wanted: Any, value: Any, schema: Any) -> Iterator[ValidationError] | None:  # noqa: ANN401
        _spend(each + _weight(name, wanted, value))
        return rule(validator, wanted, value, schema)

    return counted


def _weight(name: str, wanted: Any, value: Any) -> int:  # noqa: ANN401
    """How much of what a rule is given it may have to look at, beside applying other rules."""
    if name in {"enum", "const"}:
        return values_in(wanted)
    if name == "uniqueItems":
        return values_in(value)
    if name.startswith("unevaluated"):  # jsonschema looks for each in a list of all that were evaluated
        return len(value) ** 2 // LETTERS if isinstance(value, dict | list) else 0
    if name in {"pattern", "format"}:
        return len(value) // LETTERS if isinstance(value, str) else 0
    if isinstance(wanted, list):
        return len(wanted)
    return len(wanted) // NAMES if isinstance(wanted, dict) else 0


def _properties(validator: Any, wanted: Any, value: Any, _schema: Any) -> Iterator[ValidationError]:  # noqa: ANN401
    for name, inner in wanted.items() if isinstance(value, dict) else ():
        if name in value and inner is False:  # jsonschema forgets which one it was
            yield ValidationError("is not allowed", path=(name,))
        elif name in value:
            yield from validator.descend(value[name], inner, path=name, schema_path=name)


def _pattern(_validator: Any, wanted: Any, value: Any, _schema: Any) -> Iterator[ValidationError]:  # noqa: ANN401
    if isinstance(value, str) and not matches(wanted, value):
        yield ValidationError("does not match")


def _pattern_properties(validator: Any, wanted: Any, value: Any, _schema: Any) -> Iterator[ValidationError]:  # noqa: ANN401
    if isinstance(value, dict):
        _spend(len(wanted) * len(value))
        for pattern, inner in wanted.items():
            for name, item in value.items():
                if matches(pattern, name):
                    yield from validator.descend(item, inner, path=name, schema_path=pattern)


def _additional_properties(validator: Any, wanted: Any, value: Any, schema: Any) -> Iterator[ValidationError]:  # noqa: ANN401
    if not isinstance(value, dict):
        return
    surplus = _surplus(schema, value)
    if wanted is False and surplus:
        yield ValidationError("has more properties than allowed")
    elif isinstance(wanted, dict):
        for name in surplus:
            yield from validator.descend(value[name], wanted, path=name)


def _surplus(schema: Any, value: Any) -> list[str]:  # noqa: ANN401
    """The properties that neither `properties` nor `patternProperties` speaks of."""
    known, patterns = schema.get("properties", {}), schema.get("patternProperties", {})
    _spend(len(patterns) * len(value) + len(value) // NAMES)
    return [name for name in value if name not in known and not any(matches(one, name) for one in patterns)]


def _unique_items(_validator: Any, wanted: Any, value: Any, _schema: Any) -> Iterator[ValidationError]:  # noqa: ANN401
    if wanted and isinstance(value, list):
        seen = {canonical(_whole(item)) for item in value}
        if len(seen) < len(value):
            yield ValidationError("holds an item twice")


def _whole(value: Json) -> Json:
    """The value with whole floats as integers: in JSON Schema 1 and 1.0 are the same."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [_whole(item) for item in value]
    if isinstance(value, dict):
        return {key: _whole(item) for key, item in value.items()}
    return value


_OWN: dict[str, Rule] = {
    "properties": _properties,
    "pattern": _pattern,
    "patternProperties": _pattern_properties,
    "additionalProperties": _additional_properties,
    "uniqueItems": _unique_items,
}
_RULES: dict[str, Any] = dict(Draft202012Validator.VALIDATORS)
_Checker = extend(  # type: ignore[no-untyped-call]  # the stubs leave it out
    Draft202012Validator,
    {name: _counted(name, _OWN.get(name, rule)) for name, rule in _RULES.items()},
)
_FORMAT_CHECKER = FormatChecker(())
_FORMAT_CHECKER.checkers = dict(FORMATS)


@lru_cache(maxsize=256)
def _checker(text: str) -> Validator:
    schema = json.loads(text)
    # jsonschema would leave our rules for its own wherever a schema names its dialect
    plain = {key: value for key, value in schema.items() if key not in {"$schema", "$id"}}
    checker: Validator = _Checker(plain, registry=REGISTRY, format_checker=_FORMAT_CHECKER)
    return checker
