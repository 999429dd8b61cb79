"""Figures of a span: bars in the person's zone, latencies, causes of failures."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from webapp.delivery import counting
from webapp.delivery.counting import Counted, bucket_of
from webapp.models import transaction
from webapp.webhooks import hours
from webapp.webhooks.hours import Span, Tries

NOW = datetime(2026, 11, 25, 14, 20, tzinfo=UTC)
ME, OTHER = "webhook-1", "webhook-2"


def count(at: datetime, outcome: str = "2xx", ms: float | None = 100.0, *, of: str = ME, times: int = 1) -> None:
    one = Counted(of, at, is_first=True, outcome=outcome, bucket=bucket_of(ms))
    with transaction() as session:
        counting.count(session.connection(), [one] * times)


def ago(**span: float) -> datetime:
    return NOW - timedelta(**span)


def test_the_last_day_has_a_place_for_each_hour(app: Flask) -> None:
    count(NOW, times=3)
    count(ago(hours=1), "500")
    count(ago(hours=23))
    count(ago(hours=24), times=9)
    count(ago(minutes=5), "unknown", None)
    count(NOW, "timed_out", of=OTHER)
    found = hours.last_day([ME, OTHER, "webhook-3"], NOW)
    assert found.keys() == {ME, OTHER}
    assert (len(found[ME]), found[ME][-1], found[ME][-2], found[ME][0]) == (24, Tries(3, 0), Tries(0, 1), Tries(1, 0))
    assert sum(each.succeeded for each in found[ME]) == 4
    assert found[OTHER][-1] == Tries(0, 1)


def test_a_day_in_bars_with_its_totals(app: Flask) -> None:
    count(NOW, ms=100, times=19)
    count(NOW, "503", ms=3000)
    count(ago(hours=5), "timed_out", ms=20_000)
    count(ago(hours=30), "500")
    course = hours.course(ME, Span.DAY, NOW, ZoneInfo("UTC"))
    assert (course.deliveries, course.succeeded, course.failed, course.success_percent) == (21, 19, 2, 90)
    assert (course.slots[-1].succeeded, course.slots[-1].failed, course.slots[-6].failed) == (19, 1, 1)
    assert course.slots[-6].p95 is None  # no answer came
    assert course.slots[-1].p50 == pytest.approx(100, rel=0.1)
    assert course.p95 == pytest.approx(100, rel=0.1)


def test_causes_are_told_with_their_first_time_the_most_frequent_first(app: Flask) -> None:
    count(ago(hours=2), "timed_out")
    for minutes in (30, 10, 20):
        count(ago(minutes=minutes), "500")
    count(ago(hours=1), "unknown", None)
    course = hours.course(ME, Span.DAY, NOW, ZoneInfo("UTC"))
    assert {cause.outcome: (cause.count, cause.since) for cause in course.causes} == {
        "500": (3, ago(minutes=30)),
        "timed_out": (1, ago(hours=2)),
        "unknown": (1, ago(hours=1)),
    }
    assert course.causes[0].outcome == "500"
    assert course.failed == 4


def test_days_are_those_of_the_person(app: Flask) -> None:
    zone = ZoneInfo("Asia/Tokyo")  # where it is 23:20
    count(datetime(2026, 11, 24, 14, 59, tzinfo=UTC), times=2)  # 23:59 of yesterday
    count(datetime(2026, 11, 24, 15, 0, tzinfo=UTC), times=5)  # midnight
    month = hours.course(ME, Span.MONTH, NOW, zone)
    assert [slot.succeeded for slot in month.slots[-2:]] == [2, 5]
    week = hours.course(ME, Span.WEEK, NOW, zone)
    assert [slot.succeeded for slot in week.slots[-5:]] == [2, 5, 0, 0, 0]
    assert (len(month.slots), len(week.slots)) == (30, 28)


def test_an_empty_span_has_no_figures(app: Flask) -> None:
    course = hours.course(ME, Span.WEEK, NOW, ZoneInfo("UTC"))
    assert (course.deliveries, course.success_percent, course.p95, course.causes) == (0, None, None, [])


@pytest.mark.parametrize(
    ("succeeded", "failed", "percent"), [(0, 0, None), (0, 3, 0), (1, 999, 1), (999, 1, 99), (5, 0, 100)]
)
def test_only_all_is_100_and_only_none_is_0(succeeded: int, failed: int, percent: int | None) -> None:
    assert hours.success_percent(succeeded, failed) == percent


@given(
    st.integers(0, 2 * 366 * 24 * 60).map(lambda minutes: NOW + timedelta(minutes=minutes)),
    st.sampled_from(Span),
    st.sampled_from(["UTC", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Asia/Kolkata"]),
)
def test_bars_follow_each_other_and_now_is_among_the_last(now: datetime, span: Span, zone: str) -> None:
    bounds = hours.slot_bounds(span, now, ZoneInfo(zone))
    assert bounds == sorted(set(bounds))
    assert bounds[-1] > now
    last_days = {
        Span.DAY: timedelta(hours=1),
        Span.WEEK: timedelta(days=1, hours=1),
        Span.MONTH: timedelta(days=1, hours=1),
    }
    assert bounds[-1] - now <= last_days[span]
