"""Random trees of all kinds of steps, and random stories about them.

Hypothesis draws seeds and sizes, and `Random` the rest: drawn choice by choice, trees came out small and alike, hardly
any run was cancelled half-way, and planted bugs went unseen. What shrinks is the size of the tree and how much happens.
"""

from collections.abc import Mapping, Sequence
from itertools import count
from random import Random

from hypothesis import settings
from hypothesis import strategies as st

from fakes.stories import Story
from fakes.trees import Node

Options = Mapping[str, str]

WHEN: Sequence[Options] = ({}, {}, {}, {}, {"always": ""}, {"on_failure": ""})
CONTINUED: Sequence[Options] = ({}, {}, {"coe": ""})
STARTS: Sequence[Options] = ({}, {}, {}, {}, {}, {"start": "5"}, {"start": "40"})
RETRIES: Sequence[Options] = ({}, {}, {"retry": "1"}, {"retry": "2/30"})
SIDE_BY_SIDE: Sequence[Options] = ({}, {"fail_fast": ""}, {"max": "1"}, {"max": "2"}, {"max": "2", "fail_fast": ""})
TIMEOUTS: Sequence[Options] = ({}, {"timeout": "60"}, {"timeout": "60", "on_timeout": "continue"})
QUORUMS: Sequence[Options] = (
    {"users": "ann"},
    {"users": "ann+bob+cid", "min": "2"},
    {"groups": "dev+ops", "each": ""},
    {"users": "bob", "timeout": "60"},
)


def grown(seed: int, size: int) -> Node:
    """A tree of about this many steps, every one with a name of its own; the same for the same arguments."""
    random, numbers = Random(f"{seed}/{size}"), count(1)
    return Node("seq", {}, _children(random, numbers, size))


def _children(random: Random, numbers: "count[int]", size: int) -> tuple[Node, ...]:
    children: list[Node] = []
    while size > 0:
        share = random.choice((1, 1, 1, random.randint(1, size)))
        children.append(_leaf(random, numbers) if share == 1 else _stage(random, numbers, share))
        size -= share
    return tuple(children)


def _stage(random: Random, numbers: "count[int]", size: int) -> Node:
    word = random.choice(("seq", "call", "par", "par"))
    options = _chosen(random, WHEN, CONTINUED, STARTS, *([SIDE_BY_SIDE] if word == "par" else []))
    name = f"{word}:{word}{next(numbers)}"
    return Node(name, options, _children(random, numbers, size - 1))


def _leaf(random: Random, numbers: "count[int]") -> Node:
    word = random.choice(("a", "a", "a", "a", "gate", "approval"))
    # neither `when` nor `continue_on_error` is allowed on approvals (R53)
    choices = {"a": (WHEN, CONTINUED, STARTS, RETRIES), "gate": (WHEN, CONTINUED, TIMEOUTS), "approval": (QUORUMS,)}
    return Node(f"{word}{next(numbers)}", _chosen(random, *choices[word]))


def _chosen(random: Random, *choices: Sequence[Options]) -> Options:
    return {name: value for options in choices for name, value in random.choice(options).items()}


# a story takes a millisecond: there is time for more of them than the profile says
often = settings(max_examples=3 * settings().max_examples)

seeds = st.integers(0, 2**32 - 1)
trees = st.builds(grown, seeds, st.integers(2, 20))
skips = st.one_of(st.just(()), st.just(()), st.lists(st.integers(0, 20), max_size=3).map(tuple))
stories = st.builds(Story, trees, seeds, st.integers(10, 60), skips)
