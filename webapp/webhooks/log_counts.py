"""How many deliveries of the log are in a state, counted no further than a person needs to know."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from webapp.extensions import db
from webapp.models import Delivery, DeliveryState, User, Webhook
from webapp.webhooks.log_filter import LogFilter, conditions
from webapp.webhooks.words import DeliveryWord

MAX = 100

Word = DeliveryState | DeliveryWord

# As the index says it: SQLite uses a partial index only where its condition stands in the query word for word.
IS_RETRYING = sa.text("state = 'pending' AND kind = 'event' AND attempts_counted > 0")


def counts(user: User, words: Sequence[Word], webhook_id: str | None = None) -> dict[Word, int]:
    """How many of this person's deliveries, or of one webhook's, are in each of these states; at most MAX."""
    own = sa.select(Webhook.id).where(Webhook.created_by_id == user.id)
    ids = list(db.session.scalars(own if webhook_id is None else own.where(Webhook.id == webhook_id)))
    row = db.session.execute(sa.select(*(_count(ids, word) for word in words))).one()
    return dict(zip(words, row, strict=True))


def _count(ids: list[str], word: Word) -> sa.ScalarSelect[int]:
    filters = LogFilter(step=word) if isinstance(word, DeliveryWord) else LogFilter(states=[word])
    asked = conditions(filters)
    if word is DeliveryWord.RETRYING:
        asked.append(IS_RETRYING)  # type: ignore[arg-type]
    some = sa.select(Delivery.seq).where(Delivery.webhook_id.in_(ids), *asked).limit(MAX).subquery()
    return sa.select(sa.func.count()).select_from(some).scalar_subquery()
