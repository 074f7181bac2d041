"""A node held against one of the document models: the document, or our own sentences about what does not fit. Pure."""

from collections.abc import Callable, Mapping as Map
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Generic, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from pointsman.load.documents import Document
from pointsman.load.nodes import Items, Mapping, Node, Scalar, Spot, Step, plain, spot
from pointsman.load.wording import kind_of, listed, shown
from pointsman.model.names import nearest
from pointsman.model.problem import Code, Problem
from pointsman.model.values import Json

D = TypeVar("D", bound=Document)

# A suggestion costs a comparison with every valid key; a file with thousands of unknown keys needs no thousands of them.
MOST_SUGGESTIONS = 50


@dataclass(frozen=True, slots=True)
class Fit(Generic[D]):
    """The document, or None and why there is none."""

    document: D | None
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What is being judged, for its sentences: `a change`, the step's number, and which other things have which key."""

    noun: str
    step: str = ""
    elsewhere: Map[str, str] = field(default_factory=dict)


def fit(node: Node, model: type[D], about: About) -> Fit[D]:
    """The node as a document, or every reason why it is none, each with its exact place (R2, R7)."""
    if not isinstance(node, Mapping):
        says = f"{about.noun} must be a mapping, and this is {kind_of(plain(node))}"
        return Fit(None, (Problem(place=node.place, code=Code.WRONG_VALUE, says=says, step=about.step),))
    try:
        return Fit(model.model_validate(_given(node, model)))
    except ValidationError as error:
        return Fit(None, tuple(_problems(error, node, model, about)))


def _given(node: Mapping, model: type[Document]) -> dict[str, object]:
    """What is validated: source text where the model wants it, and no more than the length of lists of steps."""
    given: dict[str, object] = {}
    for key, value in node.entries.items():
        if key in model.texts:
            given[key] = _source_text(value, booleans=key in {"command", "env"})
        elif key in {"children", "steps"} and isinstance(value, Items) and _opaque(model, key):
            given[key] = [None] * len(value.items)
        else:
            given[key] = plain(value)
    return given


def _source_text(node: Node, *, booleans: bool) -> object:
    """Numbers as they were written, so that 1.10 is not 1.1 (R22); null never, booleans where they are no mistake."""
    if isinstance(node, Scalar):
        keep = node.value is None or (isinstance(node.value, bool) and not booleans)
        return node.value if keep else node.text
    if isinstance(node, Items):
        return [_source_text(item, booleans=booleans) for item in node.items]
    return {key: _source_text(value, booleans=booleans) for key, value in node.entries.items()}


def _opaque(model: type[Document], key: str) -> bool:
    return key in model.model_fields and get_args(model.model_fields[key].annotation) == (Any,)


def _problems(error: ValidationError, node: Mapping, model: type[Document], about: About) -> list[Problem]:
    found: list[Problem] = []
    for number, detail in enumerate(error.errors(include_url=False, include_input=False)):
        way: tuple[Step, ...] = detail["loc"]
        at = spot(node, way)
        context = detail.get("ctx", {})
        if detail["type"] == "extra_forbidden":
            suggest = number < MOST_SUGGESTIONS
            found.append(_unknown_key(at, way, _keys_at(model, way[:-1]), about, suggest=suggest))
            continue
        sentence = _SENTENCES.get(detail["type"], _custom)
        says, hint, code, content = sentence(at, {"msg": detail["msg"], "type": detail["type"], "key": way[-1] if way else "", **context})
        found.append(
            Problem(
                place=at.content_place if content else at.shape_place,
                code=Code.BAD_APPROVERS if code is not Code.UNKNOWN_KEY and _names_people(way) else code,
                says=f"{_dotted(way)} {says}",
                hint=hint,
                step=about.step,
            )
        )
    return found


def _names_people(way: tuple[Step, ...]) -> bool:
    return bool({"requires_approval_from", "user_names", "ldap_groups"} & set(way))


def _dotted(way: tuple[Step, ...]) -> str:
    return ".".join(map(str, way))


def _unknown_key(at: Spot, way: tuple[Step, ...], known: frozenset[str], about: About, *, suggest: bool) -> Problem:
    key = str(way[-1])
    inside = _dotted(way[:-1])
    where = f"{inside} has" if inside else f"{about.noun} has"
    if not inside and key in about.elsewhere:
        says = f"{where} no {key}; only {about.elsewhere[key]} has it"
        hint = f"remove {key}, or correct type"
        if about.elsewhere[key] == "an approval":
            hint = f"add requires_approval_from to make it an approval, or remove {key}"
        return Problem(place=at.shape_place, code=Code.TWO_TYPES, says=says, hint=hint, step=about.step)
    near = nearest(key, known | (frozenset() if inside else about.elsewhere.keys())) if suggest else ""
    hint = f"did you mean {near}?" if near else f"its keys are {listed(sorted(known))}"
    return Problem(
        place=at.shape_place, code=Code.UNKNOWN_KEY, says=f"{where} no key {shown(key)}", hint=hint, step=about.step
    )


@cache
def _keys_at(model: type[BaseModel], way: tuple[Step, ...]) -> frozenset[str]:
    """The keys that are known where `way` leads."""
    here: type[BaseModel] | None = model
    for step in way:
        if isinstance(step, str) and here is not None and step in here.model_fields:
            here = _model_in(here.model_fields[step].annotation)
    return frozenset(here.model_fields if here is not None else ())


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _model_in(part)) is not None), None)


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
_Sentence = tuple[str, str, Code, bool]


def _value(at: Spot) -> Json:
    return plain(at.node) if at.node is not None else None


def _instead(at: Spot, wanted: str, hint: str = "") -> _Sentence:
    value = _value(at)
    if value is None:
        return "has no value", "give it a value", Code.WRONG_VALUE, False
    return f"must be {wanted}, and this is {kind_of(value)}", hint, Code.WRONG_VALUE, True


def _no_text(at: Spot, _context: Map[str, Any]) -> _Sentence:
    scalar = isinstance(at.node, Scalar)
    return _instead(at, "a text", f'put it in quotes: "{at.node.text}"' if isinstance(at.node, Scalar) and scalar else "")


def _no_whole_number(at: Spot, _context: Map[str, Any]) -> _Sentence:
    return _instead(at, "a whole number")


def _no_boolean(at: Spot, _context: Map[str, Any]) -> _Sentence:
    value = _value(at)
    words = isinstance(value, str) and value.lower() in {"on", "yes", "no", "off"}
    return _instead(at, "true or false", f"{value} is a text in YAML 1.2" if words else "")


def _no_mapping(at: Spot, _context: Map[str, Any]) -> _Sentence:
    says, hint, code, _ = _instead(at, "a mapping")
    return says, hint, code, False


def _no_list(at: Spot, _context: Map[str, Any]) -> _Sentence:
    value = _value(at)
    hint = f"write [{value}]" if isinstance(value, str) and value.strip() and "\n" not in value else ""
    says, remedy, code, _ = _instead(at, "a list", hint)
    return says, remedy, code, False


def _empty(_at: Spot, _context: Map[str, Any]) -> _Sentence:
    return "is empty", "give it a value", Code.WRONG_VALUE, False


def _unmatched(at: Spot, context: Map[str, Any]) -> _Sentence:
    value = _value(at)
    if context.get("pattern") == r"\S":
        return _empty(at, context)
    return f"is {shown(value)}; it must be octal digits", "write 0644, or 0755", Code.WRONG_VALUE, True


def _none_of(at: Spot, context: Map[str, Any]) -> _Sentence:
    wanted = str(context.get("expected", "")).replace("'", "").replace(" or ", ", ").split(", ")
    value = _value(at)
    if value is None:
        return _instead(at, "")
    return f"is {shown(value)}; it must be {listed(wanted, last='or')}", "", Code.WRONG_VALUE, True


def _too_small(at: Spot, context: Map[str, Any]) -> _Sentence:
    return f"is {shown(_value(at))}; it must be at least {context['ge']}", "", Code.WRONG_VALUE, True


def _too_great(at: Spot, context: Map[str, Any]) -> _Sentence:
    return f"is {shown(_value(at))}; it must be at most {context['le']}", "", Code.WRONG_VALUE, True


def _missing(_at: Spot, context: Map[str, Any]) -> _Sentence:
    return "is missing", _REMEDIES.get(context["key"], ""), Code.MISSING_KEY, False


def _custom(_at: Spot, context: Map[str, Any]) -> _Sentence:
    """One of our own refusals, which carries its code; anything else as pydantic says it."""
    if "says" in context:
        return context["says"], context["hint"], Code(context["type"]), True
    return str(context["msg"]).lower(), "", Code.WRONG_VALUE, True


_SENTENCES: dict[str, Callable[[Spot, Map[str, Any]], _Sentence]] = {
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
