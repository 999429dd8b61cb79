"""What a record's events became at the webhooks of whoever looks: "What was sent" beside the record."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from flask_babel import gettext as _

from webapp.delivery.event_types import event_types
from webapp.models import Event, Record, User
from webapp.webhooks import access, verdicts
from webapp.webhooks.verdicts import WebhookVerdict
from webapp.workspace import event_log
from webapp.workspace.event_log import EventFilter

SHOWN_EVENTS = 10
FINGERPRINT_BYTES = 6


@dataclass(frozen=True)
class Told:
    """An event of the record: its words, the webhooks that wanted it, and the verdicts of those that did not."""

    event: Event
    label: str
    wanted: list[WebhookVerdict]
    refused: list[WebhookVerdict]

    @property
    def is_waiting(self) -> bool:
        """Whether no worker has looked at it yet."""
        return self.event.fanned_out_at is None


def sent(record: Record, user: User) -> list[Told] | None:
    """The newest events of a record, newest first; None for somebody without webhooks, who has nothing to look for."""
    if not access.of(user):
        return None
    page = event_log.events(user, EventFilter(record_id=record.id), limit=SHOWN_EVENTS)
    found = verdicts.of(page.events, user=user)
    return [_told(event, found[event.seq]) for event in page.events]


def fingerprint(told: list[Told]) -> str:
    """What tells one state of the list from another."""
    shown = [
        (one.event.seq, [(each.webhook.id, each.word.value, each.state) for each in (*one.wanted, *one.refused)])
        for one in told
    ]
    return hashlib.blake2s(repr(shown).encode(), digest_size=FINGERPRINT_BYTES).hexdigest()


def _told(event: Event, judged: list[WebhookVerdict]) -> Told:
    known = event_types(None).get(event.type)
    wanted = [verdict for verdict in judged if verdict.delivery_id]
    refused = [verdict for verdict in judged if not verdict.delivery_id]
    return Told(event, _(known.label) if known else event.type, wanted, refused)
