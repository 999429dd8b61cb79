"""Charts as numbers: heights, lines with gaps, axes that end at round numbers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from webapp.web import charts
from webapp.webhooks.hours import Course, Slot, Span, Tries

START = datetime(2026, 11, 25, tzinfo=UTC)


def course(*counts: tuple[int, int]) -> Course:
    slots = [Slot(START + timedelta(hours=i), START + timedelta(hours=i + 1), *each) for i, each in enumerate(counts)]
    return Course(Span.DAY, slots, 0, [])


@pytest.mark.parametrize(("value", "end"), [(0, 1), (1, 1), (3, 5), (10, 10), (11, 20), (640, 1000)])
def test_axes_end_at_round_numbers(value: float, end: int) -> None:
    assert charts.round_up(value) == end


@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 10**6)), min_size=1, max_size=24))
def test_bars_stay_within_the_drawing_and_show_whatever_there_is(counts: list[tuple[int, int]]) -> None:
    for (good, bad), bar in zip(counts, charts.spark([Tries(*each) for each in counts]), strict=True):
        assert (bar.good > 0, bar.bad > 0) == (good > 0, bad > 0)
        assert bar.bad_y >= -0.001
        assert bar.bad_y + bar.bad == pytest.approx(bar.good_y)
        assert bar.good_y + bar.good == pytest.approx(100)


def test_a_line_is_level_in_each_slot_and_has_gaps() -> None:
    assert charts.steps([None, 50.0, 100.0, None, 25.0], 100) == "M10 50.0H20V0.0H30M40 75.0H50"
    assert charts.steps([None, None], 100) == ""


def test_a_day_has_four_labels_and_names_its_hours(app: Flask) -> None:
    with app.test_request_context(headers={"Accept-Language": "de"}):
        chart = charts.chart(course(*[(1, 0)] * 24))
    assert chart.labels == ["00:00", "06:00", "12:00", "18:00"]
    assert chart.first.endswith("00:00 – 01:00")
    assert (chart.most, chart.width, chart.p95) == (1, 240, "")
