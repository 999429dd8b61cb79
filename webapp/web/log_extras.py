"""What stands round the rows of a delivery log: chips for the usual filters, exports, the way to a replay."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask import url_for
from flask_babel import gettext as _

from webapp import config
from webapp.models import DeliveryState, utc_now
from webapp.web.badges import DELIVERY, STATE
from webapp.web.loading import me
from webapp.web.local_times import TYPED, as_typed
from webapp.web.log_forms import LogForm
from webapp.webhooks import log, log_counts
from webapp.webhooks.log_export import MAX_ROWS
from webapp.webhooks.replays import STATES
from webapp.webhooks.words import DeliveryWord

CHIPS = (
    DeliveryState.FAILED,
    DeliveryWord.RETRYING,
    DeliveryWord.WAITING,
    DeliveryState.HELD,
    DeliveryState.STUCK,
)
EXPORTS = {"csv": "CSV", "jsonl": "JSON lines"}


@dataclass(frozen=True)
class Chip:
    """A link to one usual filter. `count` is empty when it is not known, or zero."""

    label: str
    url: str
    count: str
    is_current: bool


@dataclass(frozen=True)
class LogExtras:
    """The parts are made when the template asks for them."""

    form: LogForm
    webhook_id: str | None

    max_rows = MAX_ROWS

    @property
    def chips(self) -> list[Chip]:
        """All, and the states that somebody may have to do something about, with how many there are."""
        values = {name: value for name, value in self.form.values.items() if name != "state"}
        state = self.form.values.get("state", "")
        counts = {} if self.form.restricts_more_than_state else log_counts.counts(me(), CHIPS, self.webhook_id)
        chips = [Chip(_("All"), page_url(self.webhook_id, values), "", not state)]
        for word in CHIPS:
            url = page_url(self.webhook_id, values | {"state": word.value})
            chips.append(Chip(_label(word), url, _count(counts.get(word, 0)), state == word.value))
        return chips

    @property
    def exports(self) -> list[tuple[str, str]]:
        """What is shown as a file: name and address of each format."""
        values: dict[str, Any] = {name: value for name, value in self.form.values.items() if name != "limit"}
        return [
            (name, url_for("exports.show", webhook_id=self.webhook_id, ending=ending, **values))
            for ending, name in EXPORTS.items()
        ]

    @property
    def replay_url(self) -> str:
        """Where what these filters match can be sent again; empty where none of it can, or not of one webhook."""
        filters = self.form.filters
        can_be = not filters.step and set(filters.states or STATES) <= set(STATES)
        if filters.webhook_id is None or filters.text or filters.is_real is False or not can_be:
            return ""
        since = as_typed(utc_now() - timedelta(days=self.kept_days)).strftime(TYPED)
        values: dict[str, Any] = {
            "since": since,
            "status": [str(state) for state in filters.states or (DeliveryState.FAILED,)],
            "events": list(filters.event_types),
        }
        names = ("since", "until", "project", "response", "error")
        values |= {name: value for name, value in self.form.values.items() if name in names}
        return url_for("replays.new", webhook_id=filters.webhook_id, **values)

    @property
    def oldest_at(self) -> datetime | None:
        """When the oldest delivery that is kept was made."""
        return log.oldest_at(me(), self.webhook_id)

    @property
    def kept_days(self) -> int:
        """How long deliveries are kept."""
        return config.current().retention_days


def page_url(webhook_id: str | None, values: dict[str, Any]) -> str:
    """The log with these filters."""
    if webhook_id is None:
        return url_for("deliveries.index", **values)
    return url_for("webhooks.log", webhook_id=webhook_id, **values)


def _label(word: DeliveryState | DeliveryWord) -> str:
    return str(DELIVERY[word].word if isinstance(word, DeliveryWord) else STATE[word])


def _count(number: int) -> str:
    if number >= log_counts.MAX:
        return f"{log_counts.MAX - 1}+"
    return str(number) if number else ""
