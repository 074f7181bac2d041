"""What a reader is asked about tags, with plain JSON answers: their signatures, and what a push would make of them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pointsman.intake.reading import Answer, Reading
from pointsman.intake.released import TagPublished
from pointsman.intake.signing import signature_problem, signing_rule
from pointsman.intake.verdict import Verdict
from pointsman.model.problem import Code, Place, Problem
from pointsman.model.wire import from_json, to_json


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A question about a push: what is thought of the release `tag`, or else of a `commit` that gives versions.

    `inventory` is the head of the inventory branch, and `first_seen` when the pushed tags appeared; both are the same
    in all questions to one reader.
    """

    tag: str = ""
    commit: str = ""
    publishes: Mapping[str, str] = field(default_factory=dict)
    inventory: str = ""
    first_seen: Mapping[str, float] = field(default_factory=dict)


def _received(reading: Reading, question: Received) -> Verdict:
    published = reading.published
    if not isinstance(published, TagPublished):
        published = TagPublished(reading, inventory=question.inventory, first_seen=question.first_seen)
        reading.published = published
    if not question.tag:
        return reading.judge(question.commit, question.publishes)
    release = next((one for one in published.releases if one[0].tag == question.tag), None)
    if release is None:
        says = f"{question.tag} is no release tag"
        return Verdict(others=(Problem(place=Place("."), code=Code.BAD_REF, says=says),))
    return published.verdict(release)


def _signing(reading: Reading, ask: Answer) -> str:
    rule = signing_rule(reading.definitions, ask["head"])
    return rule.key if rule else ""


def _signature(reading: Reading, ask: Answer) -> Any:  # noqa: ANN401 - JSON
    rule = signing_rule(reading.definitions, ask["head"])
    problem = signature_problem(reading.definitions, rule, ask["tag"], ask["object"], at=ask["at"]) if rule else None
    return to_json(problem) if problem else None


ANSWERS: Mapping[str, Callable[[Reading, Answer], Any]] = {
    "received": lambda reading, ask: to_json(_received(reading, from_json(Received, ask["question"]))),
    "signing": _signing,
    "signature": _signature,
}
