"""Many rows in one statement arrive as SQLAlchemy itself would have written them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from tests.factories import Make
from webapp.extensions import db
from webapp.models import Attempt, Delivery, DeliveryState, ErrorWord, WebhookHour, bulk, transaction
from webapp.models.base import new_attempt_id, table_of

ATTEMPT, DELIVERY, HOUR = table_of(Attempt), table_of(Delivery), table_of(WebhookHour)
NOON = datetime(2026, 2, 3, 12, 0, 0, 123456, UTC)


both_databases = pytest.mark.parametrize("database", ["sqlite", "postgresql"], indirect=True)


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


@both_databases
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


@both_databases
@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "NULL",
        "null",
        "{}",
        "a,b",
        '"',
        "'",
        "\\",
        '\\"',
        "\\x00",
        "two\nlines",
        "%(id)s",
        "%s",
        "Ünïcödé 👍",
        "x" * 200,
    ],
)
def test_any_text_arrives_as_it_is(make: Make, text: str) -> None:
    delivery = make.delivery(make.webhook())
    rows = [attempt(delivery, phrase=each, request_headers=[[text, text]]) for each in (text, None, text)]
    with transaction() as session:
        bulk.execute(session.connection(), sa.insert(ATTEMPT), rows)
    kept = db.session.scalars(sa.select(Attempt).order_by(Attempt.seq)).all()
    assert [each.phrase for each in kept] == [text, None, text]
    assert [each.request_headers for each in kept] == [[[text, text]]] * 3


@both_databases
@pytest.mark.parametrize("rows", [1, 2])
@pytest.mark.parametrize("value", [2**63, -(2**70), 1.5e300, True, {"a": [None, "ä"]}, [], "text"])
def test_any_json_arrives_as_it_is(make: Make, value: Any, rows: int) -> None:
    delivery = make.delivery(make.webhook())
    with transaction() as session:
        given = [attempt(delivery, request_headers=value) for _ in range(rows)]
        bulk.execute(session.connection(), sa.insert(ATTEMPT), given)
    assert [each.request_headers for each in db.session.scalars(sa.select(Attempt))] == [value] * rows


@both_databases
@pytest.mark.parametrize("rows", [1, 2])
@pytest.mark.parametrize("value", [NOON, b"x", {1, 2}])
def test_what_is_no_json_is_refused(make: Make, value: Any, rows: int) -> None:
    delivery = make.delivery(make.webhook())
    given = [attempt(delivery, request_headers=[value]) for _ in range(rows)]
    with pytest.raises((TypeError, sa.exc.StatementError)), transaction() as session:
        bulk.execute(session.connection(), sa.insert(ATTEMPT), given)


@both_databases
@pytest.mark.parametrize("rows", [1, 2])
def test_a_null_within_json_is_no_missing_value(make: Make, rows: int) -> None:
    delivery = make.delivery(make.webhook())
    with transaction() as session:
        given = [attempt(delivery, request_headers=sa.JSON.NULL) for _ in range(rows)]
        bulk.execute(session.connection(), sa.insert(ATTEMPT), given)
    kept = db.session.scalars(sa.select(sa.cast(ATTEMPT.c.request_headers, sa.Text))).all()
    assert kept == ["null"] * rows


@both_databases
def test_rows_are_changed_where_they_are_named(make: Make) -> None:
    webhook = make.webhook()
    done, failed, stolen, other = (make.delivery(webhook) for _ in range(4))
    statement = (
        sa.update(DELIVERY)
        .where(DELIVERY.c.seq == sa.bindparam("_seq"), DELIVERY.c.claim_token == sa.bindparam("_token"))
        .values(held_at=sa.bindparam("at", type_=DELIVERY.c.held_at.type))
    )
    changes = [
        {"_seq": done.seq, "_token": 0, "at": NOON, "state": DeliveryState.SUCCEEDED, "settled_at": NOON},
        {"_seq": failed.seq, "_token": 0, "at": None, "state": DeliveryState.FAILED, "settled_at": None},
        {"_seq": stolen.seq, "_token": 1, "at": NOON, "state": DeliveryState.FAILED, "settled_at": NOON},
    ]
    with transaction() as session:
        bulk.execute(session.connection(), statement, changes)
    db.session.expire_all()
    assert [each.state for each in (done, failed, stolen, other)] == ["succeeded", "failed", "pending", "pending"]
    assert [each.settled_at for each in (done, failed, stolen, other)] == [NOON, None, None, None]
    assert [each.held_at for each in (done, failed, stolen, other)] == [NOON, None, None, None]


@both_databases
def test_a_row_that_is_there_is_met_by_what_the_statement_says_of_that(make: Make) -> None:
    webhook = make.webhook()
    hour = NOON.replace(minute=0, second=0, microsecond=0)
    rows = [_hour(webhook.id, hour, bucket=bucket) for bucket in (1, 2)]
    for _ in range(2):
        with transaction() as session:
            connection = session.connection()
            bulk.execute(connection, count_up(connection), rows)
    counted = sa.select(WebhookHour.bucket, WebhookHour.attempts).order_by(WebhookHour.bucket)
    assert [tuple(row) for row in db.session.execute(counted)] == [(1, 2), (2, 2)]


def count_up(connection: sa.Connection) -> Any:
    insert = (sqlite if connection.dialect.name == "sqlite" else postgresql).insert(HOUR)
    keys = [HOUR.c.webhook_id, HOUR.c.hour_at, HOUR.c.outcome, HOUR.c.bucket]
    return insert.on_conflict_do_update(
        index_elements=keys, set_={"attempts": HOUR.c.attempts + insert.excluded.attempts}
    )


def _hour(webhook_id: str, at: datetime, *, bucket: int) -> dict[str, Any]:
    return {
        "webhook_id": webhook_id,
        "hour_at": at,
        "outcome": "success",
        "bucket": bucket,
        "attempts": 1,
        "deliveries": 1,
        "first_at": at,
        "last_at": at,
    }


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)  # SQLite has no lengths
def test_a_text_that_is_too_long_is_refused_not_cut(make: Make) -> None:
    delivery = make.delivery(make.webhook())
    rows = [attempt(delivery, worker="x" * 101) for _ in range(2)]
    with pytest.raises(sa.exc.DataError), transaction() as session:
        bulk.execute(session.connection(), sa.insert(ATTEMPT), rows)


@both_databases
def test_a_column_whose_default_is_made_in_python_must_be_named(make: Make) -> None:
    row = attempt(make.delivery(make.webhook()))
    del row["is_late"]
    with transaction() as session, pytest.raises(ValueError, match="is_late"):
        bulk.execute(session.connection(), sa.insert(ATTEMPT), [row])


@both_databases
def test_a_time_without_a_zone_is_refused(make: Make) -> None:
    row = attempt(make.delivery(make.webhook()), claimed_at=datetime(2026, 2, 3))  # noqa: DTZ001
    with transaction() as session, pytest.raises(ValueError, match="time zone"):
        bulk.execute(session.connection(), sa.insert(ATTEMPT), [row])


@both_databases
@pytest.mark.parametrize("count", [1, 2, 3, 127, 128, 300])
def test_any_number_of_rows_arrives_in_order(make: Make, count: int) -> None:
    delivery = make.delivery(make.webhook())
    rows = [attempt(delivery, number=number) for number in range(count)]
    with transaction() as session:
        bulk.execute(session.connection(), sa.insert(ATTEMPT), rows)
        changes = [{"_id": row["id"], "status": 200 + row["number"]} for row in rows]
        bulk.execute(session.connection(), sa.update(ATTEMPT).where(ATTEMPT.c.id == sa.bindparam("_id")), changes)
    kept = db.session.execute(sa.select(ATTEMPT.c.number, ATTEMPT.c.status).order_by(ATTEMPT.c.seq)).all()
    assert [tuple(row) for row in kept] == [(number, 200 + number) for number in range(count)]
