"""What is said at the gates of a local run: given on the command line, or asked for on the terminal."""

import asyncio
import sys
from collections.abc import Mapping
from dataclasses import dataclass

from pointsman.cli.output import painted, say
from pointsman.cli.tree import one_line
from pointsman.model.definition import Kind
from pointsman.model.plan import Plan, PlannedStep
from pointsman.model.problem import NotFound, Refused


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A gate that waits."""

    place: int
    opening: int
    step: PlannedStep

    @property
    def verbs(self) -> tuple[str, str]:
        """What may be said, the good news first."""
        return verbs_of(self.step)


def verbs_of(step: PlannedStep) -> tuple[str, str]:
    """What may be said at a gate: `continue` at a wait, `approve` at an approval, `reject` at both."""
    return ("approve" if step.kind is Kind.APPROVAL else "continue", "reject")


class Answers:
    """`--answer` by key or name, and answers typed meanwhile.

    `NotFound` if an answer is for no gate of the plan, `Refused` if it does not fit its gate: nothing has run then.
    """

    def __init__(self, plan: Plan, given: Mapping[str, str]) -> None:
        self._given: dict[str, str] = {}
        self._typed: dict[tuple[int, int], str] = {}
        self._asked: Question | None = None
        self._news: asyncio.Event | None = None
        self._is_silent = not (sys.stdin.isatty() and sys.stderr.isatty())
        gates = [step for step in plan.steps if step.gate is not None]
        for name, word in given.items():
            for step in _meant(name, gates):
                if word not in verbs_of(step):
                    raise Refused(
                        f"{word} does not work on {step.key} {step.name}, which is {_article(step)}",
                        status=422,
                        hint=f"say {' or '.join(verbs_of(step))}",
                    )
                self._given[step.key] = word

    @property
    def can_ask(self) -> bool:
        """Whether there is a terminal with somebody at it."""
        return not self._is_silent

    def given(self, question: Question) -> str | None:
        """The answer to a gate, if there is one."""
        typed = self._typed.pop((question.place, question.opening), None)
        return typed if typed is not None else self._given.get(question.step.key)

    def ask(self, question: Question, news: asyncio.Event) -> None:
        """Ask on the terminal, unless that is being asked; `news` is set when there is an answer.

        The run goes on meanwhile, which a call of `input` would not let it.
        """
        if self._asked is not None:
            return
        self._asked, self._news = question, news
        self._prompt(question)
        asyncio.get_running_loop().add_reader(sys.stdin.fileno(), self._read)

    def close(self) -> None:
        """Ask no more."""
        if self._asked is not None:
            asyncio.get_running_loop().remove_reader(sys.stdin.fileno())
        self._asked = None

    def _prompt(self, question: Question) -> None:
        step = question.step
        approvers = step.gate.approvers if step.gate else None
        listed = [*approvers.user_names, *(f"@{group}" for group in approvers.ldap_groups)] if approvers else []
        who = f" (for {', '.join(listed)} to decide)" if listed else ""
        say(painted(f"{step.key} {one_line(step.name)}{who}: {' or '.join(question.verbs)}?", sys.stderr, bold=True))

    def _read(self) -> None:
        line = sys.stdin.readline()
        question = self._asked
        assert question is not None
        assert self._news is not None
        word = line.strip().casefold()
        fits = [verb for verb in question.verbs if word and verb.startswith(word)]
        if not line:
            self.close()
            self._is_silent = True
        elif not fits:
            self._prompt(question)
            return
        else:
            self.close()
            self._typed[question.place, question.opening] = fits[0]
        self._news.set()


def _meant(name: str, gates: list[PlannedStep]) -> list[PlannedStep]:
    """The gates of this key, or else of this name, without regard to case."""
    found = [step for step in gates if step.key == name]
    found = found or [step for step in gates if name.casefold() in {step.name.casefold(), step.id.casefold()}]
    if not found:
        known = ", ".join(f"{step.key} {step.name}" for step in gates)
        raise NotFound(f"there is no gate {name} to answer", hint=f"the gates are {known}" if known else "it has none")
    return found


def _article(step: PlannedStep) -> str:
    return "an approval" if step.kind is Kind.APPROVAL else "a wait"
