"""Random trees of all kinds of steps, and random stories about them."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import count

from hypothesis import strategies as st

from fakes.stories import Story
from fakes.trees import Node

Options = Mapping[str, str]

ANY: tuple[Options, ...] = (
    {},
    {},
    {},
    {"coe": ""},
    {"always": ""},
    {"on_failure": ""},
    {"start": "5"},
    {"start": "50"},
)
CHANGES: tuple[Options, ...] = ({}, {}, {"retry": "1"}, {"retry": "2/30"})
SIDE_BY_SIDE: tuple[Options, ...] = ({}, {}, {"fail_fast": ""}, {"max": "1"}, {"max": "2"})
TIMED: tuple[Options, ...] = ({}, {}, {"timeout": "60"})
WAITS: tuple[Options, ...] = (*TIMED, {"timeout": "60", "on_timeout": "continue"})
QUORUMS: tuple[Options, ...] = (
    {"users": "ann"}, {"users": "ann+bob+cid", "min": "2"}, {"groups": "dev+ops", "each": ""},
)  # fmt: skip


def _nodes(words: Sequence[str], *options: Sequence[Options]) -> st.SearchStrategy[Node]:
    merged = st.tuples(*(st.sampled_from(choice) for choice in options)).map(_merged)
    return st.builds(Node, st.sampled_from(words), merged)


def _merged(chosen: tuple[Options, ...]) -> Options:
    return {name: value for options in chosen for name, value in options.items()}


leaves = st.one_of(
    _nodes(["a"], ANY, CHANGES),
    _nodes(["a"], ANY, CHANGES),
    _nodes(["gate"], ANY, WAITS),
    _nodes(["approval"], QUORUMS, TIMED),
)


def _stages(children: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    inside = st.lists(children, min_size=1, max_size=4).map(tuple)
    shells = st.one_of(_nodes(["seq", "call"], ANY), _nodes(["par"], ANY, ANY, SIDE_BY_SIDE))
    return st.builds(lambda shell, inner: Node(shell.word, shell.options, inner), shells, inside)


nodes = st.recursive(leaves, _stages, max_leaves=10)


def _numbered(top: Node, numbers: Iterator[int]) -> Node:
    """The same tree, every step with a name of its own."""
    number = next(numbers)
    word = f"{top.word}:{top.word}{number}" if top.children else f"{top.word}{number}"
    return Node(word, top.options, tuple(_numbered(child, numbers) for child in top.children))


trees = st.lists(nodes, min_size=1, max_size=4).map(
    lambda children: Node("seq", {}, tuple(_numbered(child, numbers) for numbers in [count(1)] for child in children))
)
moves = st.integers(0, 60).flatmap(lambda number: st.binary(min_size=2 * number, max_size=2 * number))
skips = st.one_of(st.just(()), st.just(()), st.lists(st.integers(0, 20), max_size=3).map(tuple))
stories = st.builds(Story, trees, moves, skips)
