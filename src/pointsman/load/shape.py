"""A node held against one of the document models: the document, or our own sentences about what does not fit. Pure."""

from collections.abc import Mapping as Map
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Generic, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from pointsman.load.fields import Document
from pointsman.load.nodes import Items, Mapping, Node, Scalar, Spot, Step, plain, spot
from pointsman.load.sentences import sentence
from pointsman.load.suggestion import nearest_key
from pointsman.load.wording import brief, kind_of, listed, shown
from pointsman.model.problem import Code, Place, Problem

D = TypeVar("D", bound=Document)

# A suggestion costs a comparison with every valid key, and a file can hold thousands of unknown ones.
MOST_SUGGESTIONS = 50


@dataclass(frozen=True, slots=True)
class Fit(Generic[D]):
    """The document, or None and why there is none."""

    document: D | None
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What is being judged, for its sentences: `a change`, the step's number, and which other things have which key.

    `key` is where it is told that the whole is no mapping, if that is the value of a key (R7).
    """

    noun: str
    key: Place | None = None
    step: str = ""
    elsewhere: Map[str, str] = field(default_factory=dict)


def fit(node: Node, model: type[D], about: About) -> Fit[D]:
    """The node as a document, or every reason why it is none, each with its exact place (R2, R7)."""
    if not isinstance(node, Mapping):
        says = f"{about.noun} must be a mapping, and this is {kind_of(plain(node))}"
        hint = f"write its keys, such as {listed(_first_keys(model))}"
        place = node.place if about.key is None else about.key
        return Fit(None, (Problem(place=place, code=Code.WRONG_VALUE, says=says, hint=hint, step=about.step),))
    try:
        return Fit(model.model_validate(_given(node, model)))
    except ValidationError as error:
        return Fit(None, tuple(_problems(error, node, model, about)))


def _first_keys(model: type[Document]) -> list[str]:
    """The keys that it needs; where it needs none, the first two that it has."""
    needed = [key for key, field in model.model_fields.items() if field.is_required()]
    return needed or list(model.model_fields)[:2]


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
        says, hint, code, content = sentence(
            at, {"msg": detail["msg"], "type": detail["type"], "key": way[-1] if way else "", **context}
        )
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
    return bool({"requires_approval_from", "user_names", "ldap_groups"} & set(way)) or (
        way[:1] == ("policy",) and way[-1] in {"view", "run", "publish"}
    )


def _dotted(way: tuple[Step, ...]) -> str:
    return brief(".".join(map(str, way)))


def _unknown_key(at: Spot, way: tuple[Step, ...], known: frozenset[str], about: About, *, suggest: bool) -> Problem:
    key = str(way[-1])
    inside = _dotted(way[:-1])
    where = f"{inside} has" if inside else f"{about.noun} has"
    if not inside and key in about.elsewhere:
        says = f"{where} no {key}; only {about.elsewhere[key]} has it"
        hint = f"remove {key}, or correct type"
        if key == "requires_approval_from":
            hint = "remove it, and put an approval before this step"
        elif about.elsewhere[key] == "an approval" and about.noun == "a wait":
            hint = f"add requires_approval_from to make it an approval, or remove {key}"
        return Problem(place=at.shape_place, code=Code.TWO_TYPES, says=says, hint=hint, step=about.step)
    near = nearest_key(key, known if inside else known.union(about.elsewhere)) if suggest else ""
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


def _model_in(annotation: object) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _model_in(part)) is not None), None)
