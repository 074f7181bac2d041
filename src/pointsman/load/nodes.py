"""What a YAML file holds, as three kinds of nodes that know where they were written. Pure."""

from collections.abc import Container, Iterator, Sequence
from collections.abc import Mapping as Map
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol, TypeAlias

from pointsman.model.problem import Place
from pointsman.model.values import Json, JsonObject


class Mark(Protocol):
    """A position as YAML parsers give it: counted from 0."""

    @property
    def line(self) -> int:
        """The line, counted from 0."""
        ...

    @property
    def column(self) -> int:
        """The column in characters, counted from 0."""
        ...


# Nodes are made by the thousand and never changed once they are built; freezing them would double the time they take.
@dataclass(slots=True, eq=False)
class Scalar:
    """One value: `text` as it was written (without quotes), `value` by the core schema of YAML 1.2."""

    path: str
    mark: Mark
    text: str
    value: Json
    quoted: bool = False

    @property
    def place(self) -> Place:
        """Where the value begins."""
        return Place(self.path, self.mark.line + 1, self.mark.column + 1)

    @property
    def empty(self) -> bool:
        """Whether nothing, or only space, was written."""
        return self.value is None or (isinstance(self.value, str) and not self.value.strip())


@dataclass(slots=True, eq=False)
class Items:
    """A list."""

    path: str
    mark: Mark
    items: "list[Node]" = field(default_factory=list)

    @property
    def place(self) -> Place:
        """Where the list begins."""
        return Place(self.path, self.mark.line + 1, self.mark.column + 1)

    @property
    def empty(self) -> bool:
        """Whether there is nothing in it."""
        return not self.items


@dataclass(slots=True, eq=False)
class Mapping:
    """Values by their keys, in the order in which they were written; `keys` are the keys' own nodes."""

    path: str
    mark: Mark
    entries: "dict[str, Node]" = field(default_factory=dict)
    keys: dict[str, Scalar] = field(default_factory=dict)

    @property
    def place(self) -> Place:
        """Where the mapping begins."""
        return Place(self.path, self.mark.line + 1, self.mark.column + 1)

    @property
    def start(self) -> Place:
        """The first key: what a problem with the whole mapping, or with a missing key, points at (R7)."""
        first = next(iter(self.keys.values()), None)
        return self.place if first is None else first.place

    @property
    def empty(self) -> bool:
        """Whether there is nothing in it."""
        return not self.entries

    def key_place(self, key: str) -> Place:
        """Where a key was written; where the mapping starts if it was not."""
        found = self.keys.get(key)
        return self.start if found is None else found.place


Node: TypeAlias = Scalar | Items | Mapping
Step: TypeAlias = str | int


def plain(node: Node) -> Json:
    """The node as a JSON value."""
    if isinstance(node, Scalar):
        return node.value
    if isinstance(node, Mapping):
        return {key: plain(value) for key, value in node.entries.items()}
    return [plain(item) for item in node.items]


def plain_object(node: Node | None) -> JsonObject:
    """The mapping as a JSON object; an empty one where there is no mapping."""
    return {key: plain(value) for key, value in node.entries.items()} if isinstance(node, Mapping) else {}


def entry(node: Node | None, key: str) -> Node | None:
    """The value of a key; None where there is no such key, or no mapping."""
    return node.entries.get(key) if isinstance(node, Mapping) else None


class Places(Map[str, Place]):
    """Where the values of a mapping are, by their dotted names, but for what is in some of its keys.

    They are found out when somebody asks: of a workflow without problems, nobody does.
    """

    def __init__(self, node: Mapping, *, without: Container[str] = ()) -> None:
        self._node, self._without = node, without

    @cached_property
    def _places(self) -> dict[str, Place]:
        found: dict[str, Place] = {}
        for key, value in self._node.entries.items():
            found[key] = value.place
            if key not in self._without:
                found.update(places(value, f"{key}."))
        return found

    def __getitem__(self, name: str) -> Place:
        return self._places[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)


def places(node: Node, prefix: str = "") -> dict[str, Place]:
    """Where each value below the node is, by its dotted name: `targets.1`, `property_overrides.0.env`."""
    return dict(_placed(node, prefix))


def _placed(node: Node, prefix: str) -> Iterator[tuple[str, Place]]:
    for key, value in _children(node):
        name = f"{prefix}{key}"
        yield name, value.place
        if not isinstance(value, Scalar):
            yield from _placed(value, f"{name}.")


def _children(node: Node) -> Iterator[tuple[Step, Node]]:
    if isinstance(node, Mapping):
        yield from node.entries.items()
    elif isinstance(node, Items):
        yield from enumerate(node.items)


@dataclass(frozen=True, slots=True)
class Spot:
    """What lies at the end of a way through nodes: the value (None if it is missing) and what points at it."""

    node: Node | None
    key: Scalar | None
    parent: Node

    @property
    def shape_place(self) -> Place:
        """Where a value of the wrong shape is reported: its key, or itself if it stands in a list (R7)."""
        if self.key is not None:
            return self.key.place
        if self.node is not None:
            return self.node.place
        return self.parent.start if isinstance(self.parent, Mapping) else self.parent.place

    @property
    def content_place(self) -> Place:
        """Where wrong content is reported: a scalar that says something itself, else as for the shape (R7)."""
        if isinstance(self.node, Scalar) and not self.node.empty:
            return self.node.place
        return self.shape_place


def spot(root: Node, way: Sequence[Step]) -> Spot:
    """What lies at the end of `way`, or as far along it as there is anything."""
    result = Spot(root, None, root)
    for step in way:
        parent = result.node
        if isinstance(parent, Mapping) and isinstance(step, str):
            result = Spot(parent.entries.get(step), parent.keys.get(step), parent)
        elif isinstance(parent, Items) and isinstance(step, int) and step < len(parent.items):
            result = Spot(parent.items[step], None, parent)
        else:
            break
    return result
