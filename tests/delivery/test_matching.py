"""The verdict on one webhook and one event, as a table."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from webapp.delivery.matching import Happening, Reason, Wish, verdict

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
HERE, THERE = "project-here", "project-there"


@pytest.mark.parametrize(
    ("wish", "projects", "administered", "reason"),
    [
        ({}, [HERE], [HERE], None),
        ({"events": ["TODO_CREATED"]}, [HERE], [HERE], None),
        ({"events": ["TODO_DELETED"]}, [HERE], [HERE], Reason.EVENT_NOT_CHOSEN),
        ({"events": ["TODO"]}, [HERE], [HERE], Reason.EVENT_NOT_CHOSEN),
        ({"project_ids": [HERE]}, [HERE], [HERE], None),
        ({"project_ids": [THERE]}, [HERE], [HERE], Reason.PROJECT_NOT_CHOSEN),
        ({}, [HERE], [], Reason.NOT_ADMINISTRATOR),
        ({}, [HERE, THERE], [THERE], None),
        ({"project_ids": [THERE]}, [HERE, THERE], [THERE], None),
        ({"project_ids": [HERE]}, [HERE, THERE], [THERE], Reason.NOT_ADMINISTRATOR),
        ({"created_at": NOON + timedelta(microseconds=1)}, [HERE], [HERE], Reason.CREATED_LATER),
        ({"created_at": NOON}, [HERE], [HERE], None),
    ],
)
def test_a_verdict_names_the_first_reason_against(
    wish: dict[str, object], projects: list[str], administered: list[str], reason: Reason | None
) -> None:
    values = {"events": [], "project_ids": [], "created_at": NOON - timedelta(days=1), **wish}
    happening = Happening("TODO_CREATED", projects, NOON)
    found = verdict(Wish("w1", **values), happening, administered=administered)
    assert found.reason == reason
