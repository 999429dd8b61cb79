"""Rows that come in one step are what the query itself would have returned."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from tests.factories import Make
from webapp.extensions import db
from webapp.models import Delivery, DeliveryState, Event, packed, transaction, utc_now
from webapp.models.base import table_of

DELIVERY, EVENT = table_of(Delivery), table_of(Event)
both_databases = pytest.mark.parametrize("database", ["sqlite", "postgresql"], indirect=True)

WHOLE = (
    sa.select(
        DELIVERY.c.seq,
        DELIVERY.c.id,
        DELIVERY.c.state,
        DELIVERY.c.lease_until.is_(None).label("is_free"),
        DELIVERY.c.created_at,
        DELIVERY.c.held_at,
        DELIVERY.c.last_error,
        EVENT.c.current_value,
        EVENT.c.compact,
    )
    .join(EVENT, EVENT.c.seq == DELIVERY.c.event_seq)
    .where(DELIVERY.c.seq > sa.bindparam("after"))
    .order_by(DELIVERY.c.seq.desc())
)
TEXTS = ['{"a":"Ünïcödé 👍"}', '"quoted \\"\\u0000"', "null", "[1,2]", " ", '{"a":"two\\nlines"}']


@both_databases
def test_every_column_and_the_order_are_the_same(make: Make) -> None:
    webhook = make.webhook()
    project = make.project_of(webhook.created_by)
    for text in TEXTS:
        make.delivery(webhook, make.event(project, current_value=text.encode()))
    with transaction() as session:
        first = session.scalars(sa.select(Delivery).order_by(Delivery.seq)).first()
        assert first is not None
        first.state, first.held_at = DeliveryState.HELD, utc_now()
    connection = db.session.connection()
    expected = connection.execute(WHOLE, {"after": 0}).all()
    found = packed.rows(connection, WHOLE, {"after": 0})
    assert [tuple(row) for row in found] == [tuple(row) for row in expected]
    assert [row.current_value for row in found] == [text.encode() for text in reversed(TEXTS)]
    assert (found[-1].state, found[-1].is_free, found[-1].created_at.tzinfo) == (
        DeliveryState.HELD,
        True,
        expected[-1].created_at.tzinfo,
    )


@both_databases
def test_no_row_is_an_empty_list(make: Make) -> None:
    make.delivery()
    assert list(packed.rows(db.session.connection(), WHOLE, {"after": 10_000})) == []
