"""What pydantic found → what follows the key's name in a sentence of ours. Pure."""

from collections.abc import Callable
from collections.abc import Mapping as Map
from typing import Any

from pointsman.load.nodes import Items, Scalar, Spot, plain
from pointsman.load.suggestion import nearest_key
from pointsman.load.wording import kind_of, listed, shown
from pointsman.model.problem import Code
from pointsman.model.values import Json

_GIVE_IT = "give it a value"
_REMEDIES = {
    "action": "write action: and the name of one of the target's actions",
    "children": "write children: and the steps of the stage",
    "command": "write command: [./script.sh], for example",
    "content": "write content: and what the file shall hold",
    "cron": 'write cron: "0 3 * * *", for example',
    "ldap_groups": "write ldap_groups: and a list of names",
    "name": "write name: and what people shall see",
    "property_overrides": "write keys and values, or remove it",
    "requires_approval_from": "write user_names: or ldap_groups: below it, and a list of names",
    "run_as": "write run_as: sequential, or run_as: parallel",
    "steps": "write steps: and at least one step",
    "target": "write target: and a path",
    "targets": "write targets: and a list of paths",
    "template": "write template: and the name of a folder in templates/",
    "user_names": "write user_names: and a list of names",
}

_PEOPLE = frozenset({"requires_approval_from", "view", "run", "publish"})

# `on` and its kind are texts in YAML 1.2 (R14).
_MEANT = {**dict.fromkeys(("on", "yes", "true"), "true"), **dict.fromkeys(("off", "no", "false"), "false")}

# What follows the key's name, what to do, the code, and whether a scalar itself is pointed at.
Sentence = tuple[str, str, Code, bool]


def _value(at: Spot) -> Json:
    return plain(at.node) if at.node is not None else None


def _instead(at: Spot, wanted: str, hint: str = "") -> Sentence:
    value = _value(at)
    if value is None:
        return "has no value", _GIVE_IT, Code.WRONG_VALUE, False
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
    meant = _MEANT.get(value.strip().lower(), "") if isinstance(value, str) else ""
    if isinstance(at.node, Scalar) and at.node.quoted and meant:
        return _instead(at, "true or false", f"write {meant}, without quotes")
    return _instead(at, "true or false", f"write {meant}; {value} is a text in YAML 1.2" if meant else "")


def _no_mapping(at: Spot, context: Map[str, Any]) -> Sentence:
    key = context["key"]
    hint = _REMEDIES["requires_approval_from"] if key in _PEOPLE else ""
    if key == "property_overrides":
        hint = "only a workflow step takes a list of them" if isinstance(at.node, Items) else _REMEDIES[key]
    says, hint, code, _ = _instead(at, "a mapping", hint)
    return says, hint, code, False


def _no_list(at: Spot, context: Map[str, Any]) -> Sentence:
    word = at.node.text.strip() if isinstance(at.node, Scalar) else ""
    hint = f"write [{word}]" if word.isprintable() and 0 < len(word) < 80 else ""
    if "{{" in word:
        hint = "a variable cannot stand for a list"
    elif context["key"] in {"steps", "children"}:
        hint = "write a list, each of its items after '- '"
    says, remedy, code, _ = _instead(at, "a list", hint)
    return says, remedy, code, False


def _empty(_at: Spot, _context: Map[str, Any]) -> Sentence:
    return "is empty", _GIVE_IT, Code.WRONG_VALUE, False


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
    words = listed(wanted, last="or")
    if isinstance(value, dict | list):
        return f"must be {words}, and this is {kind_of(value)}", "", Code.WRONG_VALUE, False
    if isinstance(value, str) and "{{" in value:
        return "takes no variables", f"write {words}", Code.WRONG_VALUE, True
    near = nearest_key(value, frozenset(wanted)) if isinstance(value, str) else ""
    return f"is {shown(value)}; it must be {words}", f"did you mean {near}?" if near else "", Code.WRONG_VALUE, True


def _too_small(at: Spot, context: Map[str, Any]) -> Sentence:
    return f"is {shown(_value(at))}; it must be at least {context['ge']}", "", Code.WRONG_VALUE, True


def _too_great(at: Spot, context: Map[str, Any]) -> Sentence:
    return f"is {shown(_value(at))}; it must be at most {context['le']}", "", Code.WRONG_VALUE, True


def _missing(_at: Spot, context: Map[str, Any]) -> Sentence:
    return "is missing", _REMEDIES.get(context["key"], ""), Code.MISSING_KEY, False


def _custom(at: Spot, context: Map[str, Any]) -> Sentence:
    """One of our own refusals, which carries its code; anything else as pydantic says it."""
    if "says" in context and isinstance(at.node, Scalar) and at.node.value is None:
        return "has no value", context["hint"] or _GIVE_IT, Code(context["type"]), False
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
    says, hint, code, content = _SENTENCES.get(detail["type"], _custom)(at, detail)
    return says, _REMEDIES.get(detail["key"], hint) if hint == _GIVE_IT else hint, code, content
