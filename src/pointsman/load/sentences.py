"""What pydantic found → what follows the key's name in a sentence of ours. Pure."""

from collections.abc import Callable
from collections.abc import Mapping as Map
from typing import Any

from pointsman.load.nodes import Scalar, Spot, plain
from pointsman.load.wording import kind_of, listed, shown
from pointsman.model.problem import Code
from pointsman.model.values import Json

_REMEDIES = {
    "action": "write action: and the name of one of the target's actions",
    "children": "write children: and the steps of the stage",
    "cron": 'write cron: "0 3 * * *", for example',
    "name": "write name: and what people shall see",
    "run_as": "write run_as: sequential, or run_as: parallel",
    "steps": "write steps: and at least one step",
    "target": "write target: and a path",
    "template": "write template: and the name of a folder in templates/",
}

# What follows the key's name, what to do, the code, and whether a scalar itself is pointed at.
Sentence = tuple[str, str, Code, bool]


def _value(at: Spot) -> Json:
    return plain(at.node) if at.node is not None else None


def _instead(at: Spot, wanted: str, hint: str = "") -> Sentence:
    value = _value(at)
    if value is None:
        return "has no value", "give it a value", Code.WRONG_VALUE, False
    return f"must be {wanted}, and this is {kind_of(value)}", hint, Code.WRONG_VALUE, True


def _no_text(at: Spot, _context: Map[str, Any]) -> Sentence:
    scalar = isinstance(at.node, Scalar)
    return _instead(
        at, "a text", f'put it in quotes: "{at.node.text}"' if isinstance(at.node, Scalar) and scalar else ""
    )


def _no_whole_number(at: Spot, _context: Map[str, Any]) -> Sentence:
    return _instead(at, "a whole number")


def _no_boolean(at: Spot, _context: Map[str, Any]) -> Sentence:
    value = _value(at)
    words = isinstance(value, str) and value.lower() in {"on", "yes", "no", "off"}
    return _instead(at, "true or false", f"{value} is a text in YAML 1.2" if words else "")


def _no_mapping(at: Spot, context: Map[str, Any]) -> Sentence:
    overrides = context["key"] == "property_overrides"
    says, hint, code, _ = _instead(at, "a mapping", "only a workflow step takes a list of them" if overrides else "")
    return says, hint, code, False


def _no_list(at: Spot, context: Map[str, Any]) -> Sentence:
    value = _value(at)
    word = (
        isinstance(value, str)
        and value.strip()
        and value.isprintable()
        and len(value) < 80
        and context["key"] not in {"steps", "children"}
    )
    hint = f"write [{value}]" if word else ""
    says, remedy, code, _ = _instead(at, "a list", hint)
    return says, remedy, code, False


def _empty(_at: Spot, _context: Map[str, Any]) -> Sentence:
    return "is empty", "give it a value", Code.WRONG_VALUE, False


def _unmatched(at: Spot, context: Map[str, Any]) -> Sentence:
    if context.get("pattern") == r"\S":
        return _empty(at, context)
    written = at.node.text if isinstance(at.node, Scalar) else str(_value(at))
    return f"is {shown(written)}; it must be octal digits", "write 0644, or 0755", Code.WRONG_VALUE, True


def _none_of(at: Spot, context: Map[str, Any]) -> Sentence:
    wanted = str(context.get("expected", "")).replace("'", "").replace(" or ", ", ").split(", ")
    value = _value(at)
    if value is None:
        return _instead(at, "")
    return f"is {shown(value)}; it must be {listed(wanted, last='or')}", "", Code.WRONG_VALUE, True


def _too_small(at: Spot, context: Map[str, Any]) -> Sentence:
    return f"is {shown(_value(at))}; it must be at least {context['ge']}", "", Code.WRONG_VALUE, True


def _too_great(at: Spot, context: Map[str, Any]) -> Sentence:
    return f"is {shown(_value(at))}; it must be at most {context['le']}", "", Code.WRONG_VALUE, True


def _missing(_at: Spot, context: Map[str, Any]) -> Sentence:
    return "is missing", _REMEDIES.get(context["key"], ""), Code.MISSING_KEY, False


def _custom(_at: Spot, context: Map[str, Any]) -> Sentence:
    """One of our own refusals, which carries its code; anything else as pydantic says it."""
    if "says" in context:
        return context["says"], context["hint"], Code(context["type"]), True
    return str(context["msg"]).lower(), "", Code.WRONG_VALUE, True


_SENTENCES: dict[str, Callable[[Spot, Map[str, Any]], Sentence]] = {
    "missing": _missing,
    "string_type": _no_text,
    "string_pattern_mismatch": _unmatched,
    "int_type": _no_whole_number,
    "int_from_float": _no_whole_number,
    "bool_type": _no_boolean,
    "dict_type": _no_mapping,
    "model_type": _no_mapping,
    "model_attributes_type": _no_mapping,
    "list_type": _no_list,
    "too_short": _empty,
    "literal_error": _none_of,
    "greater_than_equal": _too_small,
    "less_than_equal": _too_great,
}


def sentence(at: Spot, detail: Map[str, Any]) -> Sentence:
    """What is wrong at a spot; `detail` is pydantic's context with the error's `type` and `msg`, and the `key`."""
    return _SENTENCES.get(detail["type"], _custom)(at, detail)
