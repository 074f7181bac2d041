"""Which steps a run's skip patterns skip."""

from dataclasses import replace

import pytest

from fakes.trees import tree
from pointsman.model.plan import Plan
from pointsman.model.problem import Refused
from pointsman.run.skipping import skipped_keys


def _named(plan: Plan, **changes: str) -> Plan:
    """The plan with other names (`k1="Deploy"`), or ids (`id2="web"`), by the places of steps."""
    steps = list(plan.steps)
    for key, value in changes.items():
        place = int(key.lstrip("kid"))
        field = "id" if key.startswith("id") else "name"
        steps[place] = replace(steps[place], **{field: value})  # type: ignore[arg-type] # a field by its name
    return replace(plan, steps=tuple(steps))


def test_without_patterns_nothing_is_skipped() -> None:
    """R89."""
    assert skipped_keys(tree("seq(a, b)"), ()) == ()


@pytest.mark.parametrize("pattern", ["Back up", "BACK UP", "back*", "b?ck up", "1", "db", "[b]ack up"])
def test_a_pattern_matches_name_id_or_key_without_regard_to_case(pattern: str) -> None:
    """R89: equal, or as a glob."""
    plan = _named(tree("seq(a, b)"), k1="Back up", id1="db", k2="Start")
    assert skipped_keys(plan, (pattern,)) == ("1",)


def test_brackets_in_a_name_match_themselves_before_they_are_a_glob() -> None:
    """R89: `Deploy [blue]` matches itself."""
    plan = _named(tree("seq(a, b, c)"), k1="Deploy [blue]", k2="Deploy b", k3="Deploy x")
    assert skipped_keys(plan, ("Deploy [blue]",)) == ("1", "2")
    assert skipped_keys(plan, ("deploy [BLUE]",)) == ("1", "2")


def test_a_key_pattern_reaches_generated_steps() -> None:
    """R89."""
    plan = tree("seq(par(a, b, c), d)")
    assert skipped_keys(plan, ("1.2",)) == ("1.2",)
    assert skipped_keys(plan, ("1.*",)) == ("1.1", "1.2", "1.3")


def test_a_skipped_stage_is_skipped_with_all_below_it() -> None:
    """R90."""
    assert skipped_keys(tree("seq(par:stage(a, seq:inner(b)), c)"), ("stage",)) == ("1", "1.1", "1.2", "1.2.1")


def test_an_approval_is_never_skipped_nor_what_holds_one() -> None:
    """R77: also inside a skipped stage; a plain wait is."""
    plan = tree("seq(seq:stage(a, gate, approval[users=ann], b), approval:second[users=ann])")
    assert skipped_keys(plan, ("stage", "second")) == ("1.1", "1.2", "1.4")
    assert skipped_keys(plan, ("approval", "*second*")) == ()


@pytest.mark.parametrize("pattern", ["0", "w", "W", "*"])
def test_a_pattern_that_would_skip_the_root_is_refused(pattern: str) -> None:
    """R89."""
    with pytest.raises(Refused, match="matches the whole run") as refused:
        skipped_keys(_named(tree("seq(a, b)"), k0="w"), (pattern,))
    assert refused.value.status == 422


def test_a_pattern_that_matches_nothing_skips_nothing() -> None:
    """R89: patterns are inherited on a retry, when a step may be gone."""
    assert skipped_keys(tree("seq(a, b)"), ("nowhere", "[", "")) == ()
