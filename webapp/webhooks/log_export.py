"""The delivery log as a whole, a part at a time: no transaction must stay open while somebody reads it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
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
    """Some deliveries, newest first. `cursor` leads to the next part, None in the last one; `left` is how many more
    rows it may have. `is_cut`: it is the last one, though more would match."""

    deliveries: list[Delivery]
    cursor: int | None
    left: int
    is_cut: bool = False


def part(user: User, filters: LogFilter, before: Part | None = None) -> Part:
    """The part after that one; the first one without it. Raises NotFound as `log.deliveries` does."""
    cursor, left = (before.cursor, before.left) if before else (None, MAX_ROWS)
    page = log.deliveries(user, filters, cursor, min(ROWS_IN_A_PART, left))
    left -= len(page.deliveries)
    is_cut = left <= 0 and page.older is not None
    return Part(page.deliveries, None if is_cut else page.older, left, is_cut)


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
