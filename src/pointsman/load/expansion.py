"""How large a node is once its aliases are written out, without writing them out. Pure."""

from dataclasses import dataclass

from pointsman.load.nodes import Mapping, Node, Scalar


@dataclass(frozen=True, slots=True)
class Size:
    """Nodes (keys among them), characters and levels of a node and everything below it, aliases written out."""

    nodes: int
    characters: int
    levels: int


class Sizes:
    """Sizes of finished nodes. Each is looked at once, so that ten levels of ten aliases cost a hundred looks."""

    def __init__(self) -> None:
        self._known: dict[int, Size] = {}

    def of(self, node: Node) -> Size:
        """The size of a node that has all its children; its depth is bounded by what was checked when it was built."""
        known = self._known.get(id(node))
        if known is None:
            known = self._known[id(node)] = self._counted(node)
        return known

    def _counted(self, node: Node) -> Size:
        if isinstance(node, Scalar):
            return Size(1, len(node.text), 0)
        keys = list(node.entries) if isinstance(node, Mapping) else []
        below = [self.of(child) for child in (node.entries.values() if isinstance(node, Mapping) else node.items)]
        return Size(
            nodes=1 + len(keys) + sum(one.nodes for one in below),
            characters=sum(map(len, keys)) + sum(one.characters for one in below),
            levels=1 + max((one.levels for one in below), default=0),
        )
