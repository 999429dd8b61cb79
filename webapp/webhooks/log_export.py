"""The delivery log as a whole, a part at a time. Between parts no transaction is open, however slow the reader is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from webapp.extensions import db
from webapp.models import Attempt, Delivery, User
from webapp.webhooks import log
from webapp.webhooks.log_filter import LogFilter

MAX_ROWS = 100_000
ROWS_IN_A_PART = 500


@dataclass(frozen=True)
class Part:
    """Some deliveries, newest first. `is_cut`: it is the last one, though more would match."""

    deliveries: list[Delivery]
    is_cut: bool = False


def parts(user_id: str, filters: LogFilter, limit: int = MAX_ROWS) -> Iterator[Part]:
    """All that the filter matches, newest first, at most `limit`; raises NotFound as `log.deliveries` does.

    What a part holds may be read only until the next one is asked for.
    """
    cursor, left = None, limit
    while True:
        page = log.deliveries(db.session.get_one(User, user_id), filters, cursor, min(ROWS_IN_A_PART, left))
        left -= len(page.deliveries)
        cursor = page.older
        is_last = cursor is None or left <= 0
        yield Part(page.deliveries, is_cut=is_last and cursor is not None)
        db.session.rollback()
        db.session.expunge_all()
        if is_last:
            return


def attempts(deliveries: Sequence[Delivery]) -> dict[int, list[Attempt]]:
    """The attempts of these deliveries by the deliveries' numbers, in order, without what was sent and answered."""
    query = (
        sa.select(Attempt)
        .where(Attempt.delivery_seq.in_([delivery.seq for delivery in deliveries]))
        .options(sa.orm.defer(Attempt.request_headers), sa.orm.defer(Attempt.response_headers))
        .options(sa.orm.defer(Attempt.response_body))
        .order_by(Attempt.seq)
    )
    found: dict[int, list[Attempt]] = defaultdict(list)
    for attempt in db.session.scalars(query):
        found[attempt.delivery_seq].append(attempt)
    return found
