"""What an actor may do, and how they may approve."""

import pytest

from pointsman.access.people import SYSTEM, Actor, NoDirectory
from pointsman.access.policy import Standing, may, standing
from pointsman.model.definition import Approvers
from pointsman.model.inventory import Policy
from pointsman.model.problem import Unavailable

ALICE = Actor("alice", "local")
BOB = Actor("bob", "token")
OPERATOR = Actor("root", "operator")


def silent() -> frozenset[str]:
    """A directory that does not answer."""
    raise Unavailable("the directory does not answer")


def ops() -> frozenset[str]:
    """The groups of somebody in Ops."""
    return frozenset({"Ops", "staff"})


def nothing() -> frozenset[str]:
    """The groups of somebody who is in none."""
    return frozenset()


@pytest.mark.parametrize("verb", ["view", "run", "publish"])
def test_a_verb_that_the_policy_does_not_name_is_everybodys(verb: str) -> None:
    """R70: without a policy who is logged in may, and no directory is asked (R76)."""
    assert may(BOB, verb, Policy(), silent) == ""  # type: ignore[arg-type]  # parametrised


def test_who_is_not_named_is_refused_with_a_reason_that_names_who_may() -> None:
    policy = Policy(run=Approvers(user_names=("alice",), ldap_groups=("ops",)))

    assert may(BOB, "run", policy, nothing) == (
        "bob may not run in this project: its policy gives that to alice and members of ops"
    )


def test_a_long_list_of_who_may_is_cut() -> None:
    policy = Policy(publish=Approvers(user_names=tuple(f"user{number}" for number in range(9))))

    assert may(BOB, "publish", policy, nothing).endswith("user4 and 4 more")


def test_a_list_with_nobody_in_it_gives_the_verb_to_nobody() -> None:
    assert "nobody" in may(ALICE, "run", Policy(run=Approvers()), silent)


@pytest.mark.parametrize("listed", ["ALICE", " alice ", "Alice"])
def test_names_match_without_regard_to_case_and_space(listed: str) -> None:
    """R76"""
    assert may(ALICE, "run", Policy(run=Approvers(user_names=(listed,))), silent) == ""


def test_a_name_that_only_begins_alike_does_not_match() -> None:
    assert may(ALICE, "run", Policy(run=Approvers(user_names=("alice2", "alic"))), nothing) != ""


def test_groups_are_not_asked_where_the_name_decides() -> None:
    """R76"""
    policy = Policy(run=Approvers(user_names=("alice",), ldap_groups=("ops",)))

    assert may(ALICE, "run", policy, silent) == ""


def test_groups_are_not_asked_where_none_is_listed() -> None:
    """R76"""
    assert may(BOB, "run", Policy(run=Approvers(user_names=("alice",))), silent) != ""


def test_a_silent_directory_is_unavailable_and_no_refusal_where_only_it_could_tell() -> None:
    """R76"""
    with pytest.raises(Unavailable):
        may(BOB, "run", Policy(run=Approvers(ldap_groups=("ops",))), silent)


def test_a_member_of_a_listed_group_may() -> None:
    assert may(BOB, "run", Policy(run=Approvers(ldap_groups=("OPS",))), ops) == ""


def test_who_may_run_may_view() -> None:
    policy = Policy(view=Approvers(user_names=("carol",)), run=Approvers(user_names=("alice",)))

    assert may(ALICE, "view", policy, silent) == ""
    assert may(BOB, "view", policy, silent) != ""


def test_a_run_that_is_everybodys_does_not_open_the_view() -> None:
    policy = Policy(view=Approvers(user_names=("alice",)))

    assert may(BOB, "view", policy, silent) != ""
    assert may(BOB, "run", policy, silent) != ""
    assert may(ALICE, "publish", policy, silent) == ""


def test_a_named_verb_is_not_given_by_another() -> None:
    policy = Policy(view=Approvers(user_names=("bob",)), publish=Approvers(user_names=("alice",)))

    assert may(BOB, "publish", policy, silent) != ""


def test_the_operator_may_everything() -> None:
    nobody = Approvers()

    assert may(OPERATOR, "publish", Policy(view=nobody, run=nobody, publish=nobody), silent) == ""


def test_the_system_has_no_rights_of_its_own() -> None:
    assert may(SYSTEM, "run", Policy(run=Approvers(user_names=("alice",))), nothing) != ""


def test_standing_of_who_is_listed_by_name_asks_no_directory() -> None:
    """R76"""
    approvers = Approvers(user_names=("Alice",), ldap_groups=("ops",))

    assert standing(ALICE, approvers, silent) == Standing(named=True)


def test_standing_of_who_is_named_counts_groups_too_where_each_group_is_wanted() -> None:
    """R71"""
    approvers = Approvers(user_names=("alice",), ldap_groups=("ops", "dba"))

    assert standing(ALICE, approvers, ops, each_group=True) == Standing(named=True, groups=("ops",))


def test_standing_has_every_listed_group_once_in_the_lists_spelling() -> None:
    """R71"""
    approvers = Approvers(ldap_groups=("STAFF", "dba", "ops", "Ops "))

    assert standing(BOB, approvers, ops) == Standing(groups=("STAFF", "ops"))


def test_standing_of_who_is_not_listed_is_empty() -> None:
    """R72: also for the operator, who approves only where an approver's name is theirs."""
    approvers = Approvers(user_names=("alice",), ldap_groups=("dba",))

    assert not standing(BOB, approvers, ops).listed
    assert not standing(OPERATOR, approvers, nothing).listed


def test_no_directory_knows_no_groups() -> None:
    assert NoDirectory().groups_of("alice") == frozenset()
    assert not NoDirectory().members_known()
