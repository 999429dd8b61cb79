"""The record filters of one fan-out: each is read once, and the values of an event at most once, when one asks."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from webapp.delivery import filters
from webapp.models import Event

_VALUES = (Event.type, Event.previous_value, Event.current_value)


class Filtering:
    """Judges the events of one transaction by the filters of its webhooks."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._filters: dict[str, filters.Filter] = {}
        self._seq = 0
        self._values: filters.Values

    def refusal(self, webhook: Any, event_seq: int) -> dict[str, Any] | None:
        """None when the webhook (its `id` and `filter`) lets the event pass, else the rule and what it saw, as JSON."""
        if webhook.filter is None:
            return None
        if webhook.id not in self._filters:
            self._filters[webhook.id] = filters.restore(webhook.filter)
        refusal = filters.judge(self._filters[webhook.id], self._values_of(event_seq))
        return refusal.stored if refusal else None

    def _values_of(self, event_seq: int) -> filters.Values:
        if event_seq != self._seq:
            self._values = filters.Values.of(
                *self._session.execute(sa.select(*_VALUES).where(Event.seq == event_seq)).one()
            )
            self._seq = event_seq
        return self._values
