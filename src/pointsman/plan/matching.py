"""Which step of one tree is which step of another: what stayed, what is gone, what is new. Pure.

The children of steps that are the same are matched with one another, by what says most about them; what is left
over on both sides may have moved to another place in the tree.
"""

from bisect import bisect_left
from collections import defaultdict, deque
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass

from pointsman.model.definition import Kind, RunAs
from pointsman.model.plan import CONTAINERS, ROOT, PlannedStep

Steps = Sequence[PlannedStep]
Pair = tuple[int, int]

GATES = frozenset({Kind.WAIT, Kind.APPROVAL})


@dataclass(frozen=True, slots=True)
class Matching:
    """`pairs` are places before and after, the root's first; `removed` and `added` are the places without a partner.

    `moved` are the pairs that stand somewhere else: in another step, or in another order where the order counts.
    """

    pairs: tuple[Pair, ...]
    removed: tuple[int, ...]
    added: tuple[int, ...]
    moved: frozenset[Pair]


def matching(before: Steps, after: Steps) -> Matching:
    """How two trees of steps match."""
    matcher = _Matcher(before, after)
    matcher.match_below(ROOT)
    stayed = dict(matcher.partner)
    matcher.match_elsewhere()
    pairs = tuple(sorted(matcher.partner.items()))
    elsewhere = {pair for pair in pairs if matcher.partner.get(before[pair[0]].parent, -1) != after[pair[1]].parent}
    return Matching(
        pairs=pairs,
        removed=tuple(place for place in range(len(before)) if place not in matcher.partner),
        added=tuple(place for place in range(len(after)) if place not in matcher.taken),
        moved=frozenset(elsewhere | set(_reordered(before, after, stayed))),
    )


def _kin(step: PlannedStep) -> str:
    """Kinds that a step may change between: a wait becomes an approval, and back."""
    return "gate" if step.kind in GATES else step.kind.value


def _identity(steps: Steps, place: int) -> Hashable:
    step = steps[place]
    return (_kin(step), step.name, step.target, step.action)


def _first_below(steps: Steps, place: int) -> Hashable:
    kind = steps[place].kind
    if kind not in CONTAINERS:
        return None
    while steps[place].children:
        place = steps[place].children[0]
    return (kind, _identity(steps, place))


def _of_change(*fields: str) -> "Likeness":
    def likeness(steps: Steps, place: int) -> Hashable:
        step = steps[place]
        return tuple(getattr(step, field) for field in fields) if step.kind is Kind.CHANGE else None

    return likeness


Likeness = Callable[[Steps, int], Hashable]
# What makes two children of the same step the same one, from what says most to what says least; None says nothing.
_LIKENESSES: tuple[Likeness, ...] = (
    lambda steps, place: steps[place].id or None,
    _identity,
    lambda steps, place: (_kin(steps[place]), steps[place].name),
    _of_change("target", "action"),
    _first_below,
    _of_change("target"),
    _of_change("action"),
    lambda steps, place: Kind.APPROVAL if steps[place].kind is Kind.APPROVAL else None,
)


class _Matcher:
    def __init__(self, before: Steps, after: Steps) -> None:
        self.before, self.after = before, after
        self.partner: dict[int, int] = {ROOT: ROOT}
        self.taken = {ROOT}

    def match_below(self, start: int) -> None:
        """Match the children of a matched step, and theirs, downwards."""
        waiting = [start]
        while waiting:
            place = waiting.pop()
            left = self._free_before(self.before[place].children)
            right = self._free_after(self.after[self.partner[place]].children)
            for likeness in _LIKENESSES:
                for pair in self._alike(left, right, likeness):
                    self._match(*pair)
                    waiting.append(pair[0])
                left, right = self._free_before(left), self._free_after(right)

    def match_elsewhere(self) -> None:
        """Match what is left over with what is the same elsewhere in the tree, and then what is below it."""
        left, right = self._free_before(range(len(self.before))), self._free_after(range(len(self.after)))
        for one, other in self._alike(left, right, _identity):
            if one not in self.partner and other not in self.taken:
                self._match(one, other)
                self.match_below(one)

    def _match(self, one: int, other: int) -> None:
        self.partner[one] = other
        self.taken.add(other)

    def _free_before(self, places: Sequence[int]) -> list[int]:
        return [place for place in places if place not in self.partner]

    def _free_after(self, places: Sequence[int]) -> list[int]:
        return [place for place in places if place not in self.taken]

    def _alike(self, left: Sequence[int], right: Sequence[int], likeness: Likeness) -> Iterator[Pair]:
        """Pairs that are alike, in order."""
        waiting: dict[Hashable, deque[int]] = defaultdict(deque)
        for place in right:
            waiting[likeness(self.after, place)].append(place)
        for place in left:
            like = likeness(self.before, place)
            if like is not None and waiting[like]:
                yield place, waiting[like].popleft()


def _reordered(before: Steps, after: Steps, stayed: dict[int, int]) -> Iterator[Pair]:
    """The fewest steps that must have moved for their siblings to be in another order, where they run in order."""
    for place, other in stayed.items():
        if RunAs.PARALLEL in {before[place].run_as, after[other].run_as}:
            continue
        pairs = [(child, stayed[child]) for child in before[place].children if child in stayed]
        kept = _longest_rising([there for _, there in pairs])
        yield from (pair for pair in pairs if pair[1] not in kept)


def _longest_rising(numbers: Sequence[int]) -> set[int]:
    """The numbers of a longest subsequence that rises."""
    ends: list[int] = []  # for each length the place at which a run of it ends with the smallest number
    before: list[int] = []
    for place, number in enumerate(numbers):
        length = bisect_left(ends, number, key=numbers.__getitem__)
        before.append(ends[length - 1] if length else -1)
        ends[length : length + 1] = [place]
    chosen: set[int] = set()
    place = ends[-1] if ends else -1
    while place >= 0:
        chosen.add(numbers[place])
        place = before[place]
    return chosen
