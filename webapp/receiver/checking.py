"""Whether the signature of what arrived is right: which secrets to check with, the verdict, each scheme in detail."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa

from webapp.delivery.signing import Check, Verdict, check
from webapp.extensions import db
from webapp.models import Inbox, InboxRequest, Invalid, UnreadableSecret, Webhook, utc_now
from webapp.models.base import decrypt

MAX_SECRET_BYTES = 256  # of a typed one: it may be another product's, whose rules are not ours
MAX_WEBHOOKS = 10  # that point at one inbox and are tried
NOT_CHECKED = "not_checked"  # beside the verdicts: the body was cut, and a part of it has no signature

_BEST_FIRST = (Verdict.RIGHT, Verdict.RIGHT_WITH_OLD_SECRET, Verdict.WRONG, Verdict.NO_SECRET, Verdict.NOT_SIGNED)


class Source(StrEnum):
    """Where the secret comes from: the webhooks that point here, one of one's webhooks, typed, or nowhere."""

    FOUND = "found"
    WEBHOOK = "webhook"
    TYPED = "typed"
    NONE = "none"


@dataclass(frozen=True)
class Choice:
    """What a person chose. `webhook_id` belongs to Source.WEBHOOK, `secret` to Source.TYPED."""

    source: Source
    webhook_id: str = ""
    secret: str = ""

    def check(self) -> None:
        """Raise Invalid when the typed secret is too long."""
        if len(self.secret.encode()) > MAX_SECRET_BYTES:
            raise Invalid("secret", "A secret has at most %(limit)s bytes.", limit=MAX_SECRET_BYTES)


@dataclass(frozen=True)
class Secrets:
    """Rings of secrets to try; in each, newest first, those that one sender may sign with. And whose they are."""

    rings: tuple[tuple[str, ...], ...] = ()
    webhooks: tuple[Webhook, ...] = ()


def source_of(inbox: Inbox) -> Source:
    """What this inbox was told to check with. An own secret that is empty text stands for none."""
    if inbox.webhook_id:
        return Source.WEBHOOK
    if inbox.own_secret is None:
        return Source.FOUND
    return Source.TYPED if inbox.own_secret else Source.NONE


def kept_text(source: Source, secret: str | None) -> str | None:
    """What `Inbox.own_secret` holds for this choice: the inverse of source_of()."""
    return secret if source is Source.TYPED else "" if source is Source.NONE else None


def secrets_of(inbox: Inbox) -> Secrets:
    """The secrets to check with, decrypted; one that no key of this installation opens is left out."""
    if source_of(inbox) is Source.TYPED:
        return Secrets(rings=((inbox.own_secret or "",),))
    webhooks = tuple(db.session.scalars(_webhooks(inbox))) if source_of(inbox) is not Source.NONE else ()
    now = utc_now()
    rings = (_ring(webhook, now) for webhook in webhooks)
    return Secrets(tuple(ring for ring in rings if ring), webhooks)


def _webhooks(inbox: Inbox) -> sa.Select[Webhook]:
    mine = sa.select(Webhook).where(Webhook.created_by_id == inbox.user_id, Webhook.deleted_at.is_(None))
    if inbox.webhook_id:
        return mine.where(Webhook.id == inbox.webhook_id)
    points_here = Webhook.url.contains(f"/inbox/{inbox.token}", autoescape=True)
    return mine.where(points_here).order_by(Webhook.created_at.desc(), Webhook.id).limit(MAX_WEBHOOKS)


def _ring(webhook: Webhook, now: datetime) -> tuple[str, ...]:
    ciphertexts = [webhook.secret_ciphertext]
    if webhook.previous_secret_until and webhook.previous_secret_until > now:
        ciphertexts.append(webhook.previous_secret_ciphertext)
    return tuple(secret for text in ciphertexts if text and (secret := _opened(text)))


def _opened(ciphertext: str) -> str | None:
    try:
        return decrypt(ciphertext)
    except UnreadableSecret:
        return None


def verdict(request: InboxRequest, secrets: Secrets) -> str:
    """A word of signing.Verdict, or NOT_CHECKED for a signed body that was cut."""
    found = explain(request, secrets).verdict
    return NOT_CHECKED if request.is_cut and found is not Verdict.NOT_SIGNED else found.value


def explain(request: InboxRequest, secrets: Secrets) -> Check:
    """Both schemes in detail, judged at the time of arrival, with the ring of secrets that fits best."""
    pairs = [(name, value) for name, value in request.headers]
    now = int(request.received_at.timestamp())
    rings: Sequence[Sequence[str]] = secrets.rings or ((),)
    checks = [check(headers=pairs, body=request.body, secrets=ring, now=now) for ring in rings]
    return min(checks, key=lambda each: _BEST_FIRST.index(each.verdict))
