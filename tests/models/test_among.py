"""Rows are found by a list of values that is one parameter."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from tests.factories import Make
from webapp.extensions import db
from webapp.models import Delivery, User
from webapp.models.among import among
from webapp.models.base import table_of

pytestmark = pytest.mark.parametrize("database", ["sqlite", "postgresql"], indirect=True)

DELIVERY, USER = table_of(Delivery), table_of(User)
BY_NUMBER = sa.select(DELIVERY.c.seq).where(among(DELIVERY.c.seq, "seqs")).order_by(DELIVERY.c.seq)
BY_NAME = sa.select(USER.c.name).where(among(USER.c.name, "names")).order_by(USER.c.name)


def found(query: Any, **values: Any) -> list[Any]:
    return list(db.session.scalars(query, values))


def test_by_numbers(make: Make) -> None:
    webhook = make.webhook()
    first, second, third = (make.delivery(webhook).seq for _ in range(3))
    assert found(BY_NUMBER, seqs=[third, first, 1_000_000_000_000]) == [first, third]
    assert found(BY_NUMBER, seqs={second}) == [second]
    assert found(BY_NUMBER, seqs=[]) == []


@pytest.mark.parametrize("name", ['Ada "the first"', "O'Neil", "{a,b}", "back\\slash", "NULL", "Zoë"])
def test_by_texts(make: Make, name: str) -> None:
    make.user(name=name)
    make.user(name="Somebody else")
    assert found(BY_NAME, names=[name, "nobody"]) == [name]
    assert found(BY_NAME, names=[]) == []


def test_a_longer_list_is_the_same_statement(make: Make) -> None:
    seen = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        seen.append(statement)

    sa.event.listen(db.engine, "before_cursor_execute", note)
    for count in (1, 2, 50):
        found(BY_NUMBER, seqs=range(count))
    sa.event.remove(db.engine, "before_cursor_execute", note)
    assert len({text for text in seen if "delivery" in text}) == 1
