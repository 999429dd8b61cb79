"""Totals: how all attempts of events ever went, which only grow, although the hours that they come from are pruned.

Each time before pruning, hours that are over are added to rows of no webhook and of an hour that never comes. Whoever
asks gets these and the hours since: what is read stays small, however long an installation has run.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from webapp.delivery.counting import hour_of
from webapp.extensions import db
from webapp.models import Upkeep, WebhookHour, database_now, transaction
from webapp.models.base import UtcTime, table_of

EVERY_WEBHOOK = ""  # the webhook of the totals
ALL_TIME = datetime(9999, 1, 1, tzinfo=UTC)  # and their hour: never old enough to go
SETTLED_AFTER = timedelta(hours=12)  # much longer than a lease, shorter than the shortest retention
TOTALS = "totals"

_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
_HOUR = table_of(WebhookHour)


def fold() -> None:
    """Add the hours that are over to the totals. One transaction; of two at once each hour is added by one."""
    with transaction() as session:
        since, until = _folded_until(session), hour_of(database_now() - SETTLED_AFTER)
        if until <= since:
            return
        _add(session, since, until)
        session.execute(sa.update(Upkeep).where(Upkeep.name == TOTALS).values(done_at=until))


def totals() -> Counter[tuple[str, int]]:
    """How many attempts had which outcome and which latency class (`delivery/latencies.py`), since the beginning."""
    folded = sa.select(Upkeep.done_at).where(Upkeep.name == TOTALS).scalar_subquery()
    since = sa.func.coalesce(folded, sa.literal(_BEGINNING, UtcTime))
    query = sa.select(_HOUR.c.outcome, _HOUR.c.bucket, sa.func.sum(_HOUR.c.attempts))
    rows = db.session.execute(query.where(_HOUR.c.hour_at >= since).group_by(_HOUR.c.outcome, _HOUR.c.bucket))
    return Counter({(outcome, bucket): int(attempts) for outcome, bucket, attempts in rows})


def _folded_until(session: Session) -> datetime:
    """Up to which hour the totals reach; its row is ours until the end."""
    insert = (sqlite if session.get_bind().dialect.name == "sqlite" else postgresql).insert(Upkeep)
    session.execute(insert.values(name=TOTALS, done_at=_BEGINNING).on_conflict_do_nothing())
    return session.scalars(sa.select(Upkeep.done_at).where(Upkeep.name == TOTALS).with_for_update()).one()


def _add(session: Session, since: datetime, until: datetime) -> None:
    sums = (
        sa.select(
            sa.literal(EVERY_WEBHOOK),
            sa.literal(ALL_TIME, UtcTime),
            _HOUR.c.outcome,
            _HOUR.c.bucket,
            sa.func.sum(_HOUR.c.attempts),
            sa.func.sum(_HOUR.c.deliveries),
            sa.func.min(_HOUR.c.first_at),
            sa.func.max(_HOUR.c.last_at),
        )
        .where(_HOUR.c.hour_at >= since, _HOUR.c.hour_at < until)
        .group_by(_HOUR.c.outcome, _HOUR.c.bucket)
        .order_by(_HOUR.c.outcome, _HOUR.c.bucket)
    )
    insert = (sqlite if session.get_bind().dialect.name == "sqlite" else postgresql).insert(_HOUR)
    new = insert.from_select([column.name for column in _HOUR.columns], sums)
    grown = {name: _HOUR.c[name] + new.excluded[name] for name in ("attempts", "deliveries")}
    values = {**grown, "last_at": new.excluded.last_at}
    session.connection().execute(new.on_conflict_do_update(index_elements=list(_HOUR.primary_key), set_=values))
