"""The charts of a webhook as numbers for SVG: bars of attempts and a line of latencies, in the person's zone.

The drawings are stretched to the width they find, so that words stand beside them as text of the page. One unit of a
drawing's height is a hundredth of it; each bar is ten units wide.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from babel.dates import format_datetime, format_skeleton, format_time
from flask_babel import get_locale

from webapp.web.person import time_zone
from webapp.webhooks.hours import Course, Slot, Span, Tries

HEIGHT = 100.0
SLOT = 10.0
GAP = 1.5  # on each side of a bar
LEAST = 2.0  # height of a bar that is not empty
CELLS = {Span.DAY: 4, Span.WEEK: 7, Span.MONTH: 6}  # labels below a chart, each as wide as the others


@dataclass(frozen=True)
class Bar:
    """One bar: what was delivered stands on the ground, what failed on top of it."""

    x: float
    width: float
    good_y: float
    good: float
    bad_y: float
    bad: float


@dataclass(frozen=True)
class BarOf:
    """A slot with its bar and when it was, in words."""

    slot: Slot
    bar: Bar
    label: str


@dataclass(frozen=True)
class Chart:
    """All that the template draws. `most` is the upper end of the bars' axis, `most_ms` that of the latencies'."""

    bars: list[BarOf]
    width: float
    most: int
    most_ms: float
    p50: str
    p95: str
    labels: list[str]

    @property
    def first(self) -> str:
        """Where the chart begins, in words."""
        return self.bars[0].label

    @property
    def last(self) -> str:
        """Where it ends, in words."""
        return self.bars[-1].label


def chart(course: Course) -> Chart:
    """The charts of a course."""
    slots = course.slots
    tallest = max(slot.succeeded + slot.failed for slot in slots)
    most, most_ms = round_up(tallest), round_up(max((slot.p95 or 0 for slot in slots), default=0))
    bars = [
        BarOf(slot, _bar(place, slot.succeeded, slot.failed, most), _when(slot, course.span))
        for place, slot in enumerate(slots)
    ]
    return Chart(
        bars,
        SLOT * len(slots),
        most,
        most_ms,
        steps([slot.p50 for slot in slots], most_ms),
        steps([slot.p95 for slot in slots], most_ms),
        _labels(course),
    )


def spark(tries: Sequence[Tries]) -> list[Bar]:
    """The small bars of a row; as tall as its own busiest hour."""
    most = max((each.succeeded + each.failed for each in tries), default=0)
    return [_bar(place, each.succeeded, each.failed, most) for place, each in enumerate(tries)]


def round_up(value: float) -> int:
    """The next of 1, 2, 5, 10, 20, 50 and so on."""
    if value <= 1:
        return 1
    power = 10 ** math.floor(math.log10(value))
    return int(next(step * power for step in (1, 2, 5, 10) if step * power >= value))


def steps(values: Sequence[float | None], most: float) -> str:
    """The path of a line that is level within each slot; nothing is drawn where nothing is known."""
    path: list[str] = []
    is_drawing = False
    for place, value in enumerate(values):
        if value is None:
            is_drawing = False
            continue
        y = HEIGHT - HEIGHT * value / most
        path.append(f"V{y:.1f}" if is_drawing else f"M{place * SLOT:g} {y:.1f}")
        path.append(f"H{(place + 1) * SLOT:g}")
        is_drawing = True
    return "".join(path)


def _bar(place: int, succeeded: int, failed: int, most: int) -> Bar:
    good, bad = _height(succeeded, most), _height(failed, most)
    if good < bad:
        bad = min(bad, HEIGHT - good)
    else:
        good = min(good, HEIGHT - bad)
    good_y, bad_y = round(HEIGHT - good, 1), round(HEIGHT - good - bad, 1)
    return Bar(place * SLOT + GAP, SLOT - 2 * GAP, good_y, good, bad_y, bad)


def _height(count: int, most: int) -> float:
    return round(max(HEIGHT * count / most, LEAST), 1) if count else 0.0


def _labels(course: Course) -> list[str]:
    """When each cell below the charts begins."""
    cells = CELLS[course.span]
    return [_brief(slot.starts_at, course.span) for slot in course.slots[:: len(course.slots) // cells]]


def _brief(at: datetime, span: Span) -> str:
    zone = ZoneInfo(time_zone())
    if span is Span.DAY:
        return str(format_time(at.astimezone(zone), "short", tzinfo=zone, locale=get_locale()))
    if span is Span.WEEK:
        return str(format_datetime(at, "EEE", tzinfo=zone, locale=get_locale()))
    return str(format_skeleton("MMMd", at.astimezone(zone), tzinfo=zone, locale=get_locale()))


def _when(slot: Slot, span: Span) -> str:
    """When a slot is, in words: a day, or the time of day that it begins and ends."""
    zone, locale = ZoneInfo(time_zone()), get_locale()
    start, end = slot.starts_at.astimezone(zone), slot.ends_at.astimezone(zone)
    if span is Span.MONTH:
        return str(format_datetime(start, "EEE d MMM", tzinfo=zone, locale=locale))
    day = format_skeleton("EEEd", start, tzinfo=zone, locale=locale)
    from_, to = (format_time(each, "short", tzinfo=zone, locale=locale) for each in (start, end))
    return f"{day}, {from_} – {to}"
