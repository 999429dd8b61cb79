"""Moments: what people type, what they see again, and how a due date stands."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from webapp.models import Invalid
from webapp.workspace import moments
from webapp.workspace.moments import DueState


@pytest.mark.parametrize(
    ("text", "zone", "start", "due"),
    [
        ("", "Europe/Berlin", None, None),
        (None, None, None, None),
        ("2026-05-04", "", "2026-05-04T00:00:00+00:00", "2026-05-04T23:59:59+00:00"),
        ("2026-05-04", "Europe/Berlin", "2026-05-03T22:00:00+00:00", "2026-05-04T21:59:59+00:00"),
        ("2026-05-04T08:15", "Asia/Kolkata", "2026-05-04T02:45:00+00:00", "2026-05-04T02:45:00+00:00"),
        (" 2026-05-04T10:00:00Z ", "Asia/Kolkata", "2026-05-04T10:00:00+00:00", "2026-05-04T10:00:00+00:00"),
        ("2026-05-04T12:00:00.2509+02:00", None, *["2026-05-04T10:00:00.250000+00:00"] * 2),
    ],
)
def test_a_moment_is_read_as_people_type_it(text, zone, start, due):
    read = [moments.read("dued_at", text, zone, is_due=is_due) for is_due in (False, True)]
    assert [moment and moment.isoformat() for moment in read] == [start, due]


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Asia/Kathmandu", None])
@pytest.mark.parametrize("text", ["2026-03-29", "2026-10-25", "2026-05-04T08:15", "2026-01-01T08:15:20", ""])
@pytest.mark.parametrize("is_due", [True, False])
def test_what_was_typed_is_what_is_shown_again(text, zone, is_due):
    moment = moments.read("dued_at", text, zone, is_due=is_due)
    assert moments.shown(moment, zone, is_due=is_due) == text


@pytest.mark.parametrize(
    ("text", "zone", "field"),
    [
        ("tomorrow", None, "dued_at"),
        ("2026-02-30", None, "dued_at"),
        ("04.05.2026", None, "dued_at"),
        ("0001-01-01T00:00+14:00", None, "dued_at"),
        ("1969-12-31", None, "dued_at"),
        ("3000-01-01", None, "dued_at"),
        ("2026-05-04", "Europe/Atlantis", "timezone"),
        ("2026-05-04", "../../etc/passwd", "timezone"),
        ("2026-05-04", "Europe", "timezone"),
    ],
)
def test_what_is_no_date_or_no_zone_is_refused_where_it_stands(text, zone, field):
    with pytest.raises(Invalid) as refused:
        moments.read("dued_at", text, zone)
    assert list(refused.value.fields) == [field]


@pytest.mark.parametrize(
    ("hour", "done", "state"),
    [(None, False, DueState.NONE), (18, False, DueState.AHEAD), (9, False, DueState.OVERDUE), (9, True, DueState.MET)],
)
def test_a_due_date_is_ahead_overdue_or_met(hour, done, state):
    due = hour and datetime(2026, 5, 4, hour, tzinfo=UTC)
    assert moments.due_state(due, done=done, now=datetime(2026, 5, 4, 12, tzinfo=UTC)) is state
