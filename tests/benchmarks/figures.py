"""Figures, each with its values over the rounds and the aim beside it, and the tables they are printed in."""

import statistics
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

HEADINGS = ("", "median", "lowest", "highest", "unit", "aim")


@dataclass(frozen=True, slots=True, kw_only=True)
class Aim:
    """What a figure should be at most. It is printed beside the figure; nothing fails when it is missed."""

    at_most: float

    def judged(self, median: float) -> str:
        """The aim with what came of it, as the last column shows it."""
        return f"≤ {self.at_most:g}  {'met' if median <= self.at_most else 'MISSED'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One measured quantity: a value for each round, in this unit (`x` for a ratio taken inside a round)."""

    what: str
    unit: str
    values: tuple[float, ...]
    aim: Aim | None = None

    @property
    def median(self) -> float:
        """The value that is quoted."""
        return statistics.median(self.values)

    def cells(self) -> tuple[str, ...]:
        """The row of a table, one text for each of `HEADINGS`."""
        spread = [shown(number) for number in (self.median, min(self.values), max(self.values))]
        return (self.what, *spread, self.unit, self.aim.judged(self.median) if self.aim else "")

    def as_json(self) -> dict[str, Any]:
        """The figure with all its values."""
        aim = None if self.aim is None else self.aim.at_most
        return {"what": self.what, "unit": self.unit, "median": self.median, "values": self.values, "at_most": aim}


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """The figures of one benchmark, or of one workload of it, with a sentence on what was done."""

    title: str
    says: str
    figures: tuple[Figure, ...]

    def __str__(self) -> str:
        rows = [HEADINGS, *(figure.cells() for figure in self.figures)]
        widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
        lines = [
            "  ".join(
                cell.rjust(width) if 1 <= column <= 3 else cell.ljust(width)
                for column, (cell, width) in enumerate(zip(row, widths, strict=True))
            ).rstrip()
            for row in rows
        ]
        return "\n".join([f"== {self.title}", self.says, *lines])


def shown(number: float) -> str:
    """A number with three significant digits, whole ones in full."""
    if abs(number) >= 100:
        return f"{number:,.0f}"
    return f"{number:.3g}"


def ratio(what: str, over: Iterable[float], under: Iterable[float], *, at_most: float | None = None) -> Figure:
    """How many times `under` the values `over` are, round by round."""
    values = tuple(above / below for above, below in zip(over, under, strict=True))
    return Figure(what=what, unit="x", values=values, aim=None if at_most is None else Aim(at_most=at_most))


def by_name(rounds: Iterable[Mapping[str, float]]) -> dict[str, tuple[float, ...]]:
    """The values of every name over the rounds, from one mapping for each round."""
    found: dict[str, list[float]] = {}
    for values in rounds:
        for name, value in values.items():
            found.setdefault(name, []).append(value)
    return {name: tuple(values) for name, values in found.items()}
