"""The audit log takes new lines and nothing else, on both databases, however its table came about."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.exc import DBAPIError

from tests.models.test_migrations import empty
from webapp import upgrading
from webapp.extensions import db
from webapp.models import AuditEntry, audit, transaction, utc_now

__all__ = ["empty"]

TAMPERING = [
    "UPDATE audit_entry SET action = 'webhook.nothing'",
    "UPDATE audit_entry SET user_id = NULL, at = at",
    "DELETE FROM audit_entry",
    "DELETE FROM audit_entry WHERE seq = 1",
]


def tamper(statement: str) -> None:
    with transaction():
        audit.note("webhook.created", "webhook:w1", None)
    with pytest.raises(DBAPIError, match=audit.APPEND_ONLY), transaction() as session:
        session.execute(sa.text(statement))
    (entry,) = db.session.scalars(sa.select(AuditEntry))
    assert entry.action == "webhook.created"
    db.session.remove()


@pytest.mark.proves("A69", "W33")
@pytest.mark.parametrize("statement", TAMPERING)
def test_no_line_is_changed_or_removed(app: Flask, statement: str) -> None:
    tamper(statement)


@pytest.mark.proves("A69", "W33")
@pytest.mark.parametrize("statement", TAMPERING)
def test_nor_where_the_migrations_made_the_table(make_app: Callable[..., Flask], empty: str, statement: str) -> None:
    upgrading.bring_up_to_date(make_app(database_url=empty))
    tamper(statement)


def test_what_is_noted_of_the_past_bears_its_moment(app: Flask) -> None:
    moment = utc_now().replace(year=2020)
    with transaction():
        with audit.dated(moment):
            audit.note("webhook.created", "webhook:w1", None)
        audit.note("webhook.edited", "webhook:w1", None)
    past, present = db.session.scalars(sa.select(AuditEntry.at).order_by(AuditEntry.seq))
    assert past == moment
    assert present > moment
