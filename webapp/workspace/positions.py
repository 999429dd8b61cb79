"""Where a thing stands among its neighbours, in Blue's numbers (reference: blue.md 3.3)."""

from __future__ import annotations

from collections.abc import Sequence

STEP = 65535.0
SMALLEST_GAP = 1 / 1024  # below it the neighbours are numbered anew; every half until then is exact


def last(highest: float | None) -> float:
    """The position behind the highest one; of the first thing of all when there is none."""
    return STEP if highest is None else highest + STEP


def between(before: float | None, after: float | None) -> float:
    """The position between two neighbours; None = there is none on that side."""
    return last(before) if after is None else ((before or 0.0) + after) / 2


def has_room(before: float | None, after: float | None) -> bool:
    """Whether a position between two neighbours would still be told apart well; else number them anew first."""
    return after is None or after - (before or 0.0) > SMALLEST_GAP


def numbered(count: int) -> list[float]:
    """Positions for `count` things, a step apart."""
    return [STEP * number for number in range(1, count + 1)]


def edges(taken: Sequence[float], place: int) -> tuple[float | None, float | None]:
    """The positions on both sides of a place that is counted from 0 among these, which are in their order."""
    before = taken[place - 1] if place else None
    return before, taken[place] if place < len(taken) else None


def spread(before: float | None, after: float | None, count: int) -> list[float] | None:
    """So many positions between two neighbours (None = there is none on that side), or None without room for them."""
    if after is None:
        return [(before or 0.0) + STEP * number for number in range(1, count + 1)]
    step = (after - (before or 0.0)) / (count + 1)
    return [(before or 0.0) + step * number for number in range(1, count + 1)] if step * 2 > SMALLEST_GAP else None
