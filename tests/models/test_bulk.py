"""Many rows in one statement arrive as SQLAlchemy itself would have written them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
import sqlalchemy as sa

from tests.factories import Make
from webapp.extensions import db
from webapp.models import Attempt, Delivery, DeliveryState, ErrorWord, bulk, transaction
from webapp.models.base import new_attempt_id, table_of

ATTEMPT, DELIVERY = table_of(Attempt), table_of(Delivery)
NOON = datetime(2026, 2, 3, 12, 0, 0, 123456, UTC)


def attempt(delivery: Delivery, **values: Any) -> dict[str, Any]:
    return {
        "id": new_attempt_id(),
        "delivery_seq": delivery.seq,
        "redelivery_seq": None,
        "number": 1,
        "claim_token": 1,
        "worker": "here:1",
        "claimed_at": NOON,
        "is_late": False,
        "is_cut": False,
        **values,
    }


def test_rows_arrive_with_their_times_words_lists_and_bytes(make: Make) -> None:
    delivery = make.delivery(make.webhook())
    values = [
        {
            "error": None,
            "request_headers": (("Host", "example.com"), ("X-Ümlaut", '"quoted"')),
            "response_body": b"\x00\xff",
            "total_ms": 1.25,
            "is_cut": True,
        },
        {
            "error": ErrorWord.TIMED_OUT,
            "request_headers": None,
            "response_body": None,
            "total_ms": None,
            "claimed_at": NOON.astimezone(timezone(timedelta(hours=2))) + timedelta(seconds=1),
        },
    ]
    rows = [attempt(delivery, **each) for each in values]
    with transaction() as session:
        bulk.execute(session.connection(), sa.insert(ATTEMPT), rows)
    db.session.expire_all()
    first, second = db.session.scalars(sa.select(Attempt).order_by(Attempt.seq))
    assert (first.id, second.id) == (rows[0]["id"], rows[1]["id"])
    assert first.request_headers == [["Host", "example.com"], ["X-Ümlaut", '"quoted"']]
    assert (first.error, first.response_body, first.total_ms, first.is_cut) == (None, b"\x00\xff", 1.25, True)
    assert (second.error, second.request_headers, second.is_cut) == (ErrorWord.TIMED_OUT, None, False)
    assert (first.claimed_at, second.claimed_at) == (NOON, NOON + timedelta(seconds=1))


def test_rows_are_changed_where_they_are_named(make: Make) -> None:
    webhook = make.webhook()
    done, failed, other = (make.delivery(webhook) for _ in range(3))
    statement = sa.update(DELIVERY).where(DELIVERY.c.seq == sa.bindparam("_seq"))
    changes = [
        {"_seq": done.seq, "state": DeliveryState.SUCCEEDED, "settled_at": NOON},
        {"_seq": failed.seq, "state": DeliveryState.FAILED, "settled_at": NOON},
    ]
    with transaction() as session:
        bulk.execute(session.connection(), statement, changes)
    db.session.expire_all()
    assert [each.state for each in (done, failed, other)] == ["succeeded", "failed", "pending"]
    assert (done.settled_at, other.settled_at) == (NOON, None)


def test_a_column_whose_default_is_made_in_python_must_be_named(make: Make) -> None:
    row = attempt(make.delivery(make.webhook()))
    del row["is_late"]
    with transaction() as session, pytest.raises(ValueError, match="is_late"):
        bulk.execute(session.connection(), sa.insert(ATTEMPT), [row])


def test_a_time_without_a_zone_is_refused(make: Make) -> None:
    row = attempt(make.delivery(make.webhook()), claimed_at=datetime(2026, 2, 3))  # noqa: DTZ001
    with transaction() as session, pytest.raises(ValueError, match="time zone"):
        bulk.execute(session.connection(), sa.insert(ATTEMPT), [row])
