"""The refs that give nothing to list, and why: a bad ref hides no other, and does not vanish without a word either."""

import logging
from collections.abc import Iterable, Mapping

from pointsman.intake.verdict import Verdict
from pointsman.model.problem import Severity

MOST_LOGGED = 20

log = logging.getLogger("pointsman.intake")


def unusable_refs(bad: Mapping[str, str], listless: Iterable[tuple[str, Verdict]]) -> dict[str, str]:
    """A sentence for each ref by its full name: the `bad` ones, which name nothing, and those of `listless` whose
    commit has an error and no workflow that could show it.
    """
    told = dict(bad)
    for name, verdict in listless:
        if not verdict.workflows and not verdict.valid:
            told[name] = _reason(verdict)
    return dict(sorted(told.items()))


def log_news(before: Mapping[str, str], now: Mapping[str, str]) -> None:
    """Log what has become unusable, the first of many."""
    news = [name for name, says in now.items() if before.get(name) != says]
    for name in news[:MOST_LOGGED]:
        log.warning("%s cannot be used: %s", name, now[name])
    if len(news) > MOST_LOGGED:
        log.warning("and %s other refs cannot be used; the page with the workflows lists them", len(news) - MOST_LOGGED)


def _reason(verdict: Verdict) -> str:
    first = next(problem for problem in verdict.problems if problem.severity is Severity.ERROR)
    return first.message if first.place.path == "." else f"{first.place.path}: {first.message}"
