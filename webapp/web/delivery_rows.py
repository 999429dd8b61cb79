"""A delivery as the log shows it. The row in the page and the row that arrives live are made here, alike."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from flask import url_for
from flask_babel import gettext as _

from webapp import config
from webapp.delivery.event_types import event_types
from webapp.models import Delivery, DeliveryKind, DeliveryState, Project, User
from webapp.web.badges import KIND, Badge, delivery_badge
from webapp.webhooks import access, cancellation, redelivery
from webapp.webhooks.words import delivery_word

FINGERPRINT_BYTES = 6
FAILING = (DeliveryState.FAILED, DeliveryState.STUCK)


@dataclass(frozen=True)
class Row:
    """One row. `refusal` says why it cannot be sent again just now; `mark` tells the page what changed."""

    delivery: Delivery
    badge: Badge
    kind: str
    label: str
    project: str
    response: str
    attempt: str
    refusal: str
    is_watched: bool

    @property
    def id(self) -> str:
        """The row's id in the page."""
        return f"row-{self.delivery.seq}"

    @property
    def is_failing(self) -> bool:
        """Whether its newest outcome is a failure."""
        return self.delivery.state in FAILING or (not self.delivery.is_settled and self.delivery.attempts_counted > 0)

    @property
    def url(self) -> str:
        """The delivery's own page."""
        return url_for("deliveries.show", webhook_id=self.delivery.webhook_id, delivery_id=self.delivery.id)

    @property
    def redelivery_url(self) -> str:
        """Where its button posts to."""
        return url_for("redeliveries.create", webhook_id=self.delivery.webhook_id, delivery_id=self.delivery.id)

    @property
    def cancellation_url(self) -> str:
        """Where its cancelling posts to; empty where there is nothing left to cancel."""
        if not cancellation.is_possible(self.delivery):
            return ""
        return url_for("cancellations.create", webhook_id=self.delivery.webhook_id, delivery_id=self.delivery.id)

    @property
    def redelivery_label(self) -> str:
        """The words of its button."""
        return _("Send again") if self.delivery.state is DeliveryState.SUCCEEDED else _("Retry")

    @property
    def mark(self) -> str:
        """The number of the delivery, and while it is watched a fingerprint of what is shown of it."""
        return f"{self.delivery.seq}.{self._fingerprint()}" if self.is_watched else str(self.delivery.seq)

    def _fingerprint(self) -> str:
        shown = (self.badge.word, self.response, self.attempt, self.refusal, self.delivery.next_attempt_at)
        text = "\0".join(str(part) for part in (*shown, self.delivery.last_ms))
        return hashlib.blake2s(text.encode(), digest_size=FINGERPRINT_BYTES).hexdigest()


def rows(user: User, deliveries: Sequence[Delivery]) -> list[Row]:
    """These deliveries as rows, with a few queries for all of them."""
    projects = {project.id: project for project in access.administered_projects(user)}
    waiting = redelivery.waiting(deliveries)
    attempts = len(config.current().retry_schedule)
    return [_row(delivery, projects, waiting, attempts) for delivery in deliveries]


def event_label(delivery: Delivery) -> str:
    """What the delivery is about, in words."""
    known = event_types(None).get(delivery.event_type)
    if known is not None:
        return _(known.label)
    if delivery.kind is DeliveryKind.PING:
        return _("Test ping")
    return str(KIND.get(delivery.kind, delivery.event_type))


def _row(delivery: Delivery, projects: dict[str, Project], waiting: Collection[int], attempts: int) -> Row:
    word = delivery_word(delivery, is_paused=delivery.webhook.health.paused_at is not None)
    is_waiting = delivery.seq in waiting
    refusal = redelivery.refusal(delivery, administered=projects.keys(), is_waiting=is_waiting)
    project = projects.get(delivery.project_id or "")
    return Row(
        delivery=delivery,
        badge=delivery_badge(delivery, word, attempts),
        kind="" if delivery.kind is DeliveryKind.EVENT else str(KIND[delivery.kind]),
        label=event_label(delivery),
        project=project.name if project else "",
        response=_response(delivery),
        attempt=_attempt(delivery, attempts),
        refusal=_(refusal) if refusal else "",
        is_watched=is_waiting or not delivery.is_settled,
    )


def _response(delivery: Delivery) -> str:
    parts = [str(part) for part in (delivery.last_status, delivery.last_error) if part is not None]
    return " ".join(parts)


def _attempt(delivery: Delivery, attempts: int) -> str:
    """Which of how many; only the number where the schedule does not apply or was left by hand."""
    made = delivery.attempts_made
    if not made:
        return ""
    if delivery.kind is not DeliveryKind.EVENT or made > attempts:
        return str(made)
    return _("%(number)s of %(all)s", number=made, all=attempts)
