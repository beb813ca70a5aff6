"""Alternating pairs and their medians: how every figure here is taken.

Machines are noisy, so no absolute time says much. Each figure is a ratio of two things that were
measured in turn, pair by pair, in one run; its median is what counts.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from statistics import median


@dataclass(frozen=True, slots=True)
class Figure:
    """One row of the result: a ratio, what it was to reach, and what lies behind it."""

    name: str
    subject: str
    limit: str
    ratio: float
    target: float
    at_least: bool
    unit: str
    subject_values: Sequence[float]
    limit_values: Sequence[float]
    notes: dict[str, float | int | str] = field(default_factory=dict)

    @property
    def reached(self) -> bool:
        """Whether the ratio is on the right side of its target."""
        return self.ratio >= self.target if self.at_least else self.ratio <= self.target

    def as_record(self) -> dict[str, object]:
        """The figure as one JSON object."""
        return {**asdict(self), "reached": self.reached}


def alternate(
    subject: Callable[[int], float], limit: Callable[[int], float], pairs: int
) -> tuple[list[float], list[float]]:
    """Measures both in turn, `pairs` times, swapping who goes first; the values of each."""
    ours: list[float] = []
    theirs: list[float] = []
    for number in range(pairs):
        if number % 2 == 0:
            ours.append(subject(number))
            theirs.append(limit(number))
        else:
            theirs.append(limit(number))
            ours.append(subject(number))
    return ours, theirs


def median_ratio(subject: Sequence[float], limit: Sequence[float]) -> float:
    """The median of the pairs' ratios."""
    return median(a / b for a, b in zip(subject, limit, strict=True))
