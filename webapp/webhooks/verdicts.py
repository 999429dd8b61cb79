"""Why an event was sent to a webhook or not: what fan-out recorded, and what follows where it recorded nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from webapp.delivery.matching import Reason
from webapp.extensions import db
from webapp.models import Delivery, DeliveryState, Event, User, Webhook
from webapp.webhooks import access, filter_words


class VerdictWord(StrEnum):
    """What became of an event at one webhook; after the first two the reasons of `matching`."""

    WANTED = "wanted"
    WAITING = "waiting"
    CREATED_LATER = Reason.CREATED_LATER.value
    EVENT_NOT_CHOSEN = Reason.EVENT_NOT_CHOSEN.value
    PROJECT_NOT_CHOSEN = Reason.PROJECT_NOT_CHOSEN.value
    NOT_ADMINISTRATOR = Reason.NOT_ADMINISTRATOR.value
    FILTERED = Reason.FILTERED.value


SENTENCES = {
    VerdictWord.WANTED: "The webhook wanted this event; its delivery says how that went.",
    VerdictWord.WAITING: "No worker has looked at this event yet. That takes about a second while one runs.",
    VerdictWord.CREATED_LATER: "The webhook was made after this event.",
    VerdictWord.EVENT_NOT_CHOSEN: "The webhook does not send this event type.",
    VerdictWord.PROJECT_NOT_CHOSEN: "The webhook does not send events of this project.",
    VerdictWord.NOT_ADMINISTRATOR: "You were no administrator of this project at that time.",
    VerdictWord.FILTERED: "The webhook's record filter lets no event pass.",
}


@dataclass(frozen=True)
class WebhookVerdict:
    """The verdict on one event for one webhook. A wanted event has a delivery: its id and how that stands now."""

    webhook: Webhook
    word: VerdictWord
    delivery_id: str | None = None
    state: DeliveryState | None = None
    refusal: Mapping[str, Any] | None = None  # which rule of the filter refused, as fan-out kept it

    @property
    def sentence(self) -> str:
        """The verdict in words, in English."""
        if self.refusal is not None and "rule" in self.refusal:
            return filter_words.sentence(self.refusal)
        return SENTENCES[self.word]


def of(events: Sequence[Event], *, user: User) -> dict[int, list[WebhookVerdict]]:
    """For each event, by its number (`seq`), the verdict for each webhook that this person has now, by name."""
    webhooks = access.of(user)
    deliveries = _deliveries(events, webhooks)
    return {event.seq: [_verdict(event, webhook, deliveries) for webhook in webhooks] for event in events}


_COMMON = {"reason", "webhookIds", "webhookId"}
Deliveries = dict[tuple[int | None, str], tuple[str, DeliveryState]]


def _deliveries(events: Sequence[Event], webhooks: Sequence[Webhook]) -> Deliveries:
    query = sa.select(Delivery.event_seq, Delivery.webhook_id, Delivery.id, Delivery.state).where(
        Delivery.event_seq.in_([event.seq for event in events]),
        Delivery.webhook_id.in_([webhook.id for webhook in webhooks]),
    )
    return {(row[0], row[1]): (row[2], row[3]) for row in db.session.execute(query)}


def _verdict(event: Event, webhook: Webhook, deliveries: Deliveries) -> WebhookVerdict:
    made = deliveries.get((event.seq, webhook.id))
    if made:
        return WebhookVerdict(webhook, VerdictWord.WANTED, *made)
    recorded = next((each for each in event.refusals or () if webhook.id in _webhook_ids(each)), None)
    if recorded:
        rule = {name: value for name, value in recorded.items() if name not in _COMMON}
        return WebhookVerdict(webhook, VerdictWord(recorded["reason"]), refusal=rule or None)
    if webhook.created_at > event.created_at:
        return WebhookVerdict(webhook, VerdictWord.CREATED_LATER)
    if event.fanned_out_at is None:
        return WebhookVerdict(webhook, VerdictWord.WAITING)
    return WebhookVerdict(webhook, VerdictWord.NOT_ADMINISTRATOR)


def _webhook_ids(refusal: Mapping[str, Any]) -> Sequence[str]:
    """Events that were fanned out before December 2026 have an entry for each webhook."""
    ids: Sequence[str] = refusal["webhookIds"] if "webhookIds" in refusal else [refusal["webhookId"]]
    return ids
