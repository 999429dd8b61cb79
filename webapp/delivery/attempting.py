"""One attempt: the body composed, signed and sent. Whatever happens becomes a result."""

from __future__ import annotations

import hashlib
import json

from webapp.delivery import signing
from webapp.delivery.claims import Claim
from webapp.delivery.recording import Result
from webapp.delivery.sending import Outcome, Outgoing, Sender
from webapp.models import DeliveryKind, ErrorWord, UnreadableSecret, utc_now
from webapp.models.base import decrypt

UNREADABLE = (
    "The secret or a header of this webhook was encrypted with a key that this installation does not have. "
    "Set it again, or ask the operator for the key."
)


def attempt(claim: Claim, sender: Sender) -> Result:
    """Send what a claim names. Never raises for what a receiver, a network or the webhook's own settings do."""
    started_at = utc_now()
    url: str = claim.webhook.url
    body = claim.body()
    try:
        headers = _headers(claim, body, int(started_at.timestamp()))
    except UnreadableSecret:
        outcome = Outcome(error=ErrorWord.CONFIG_ERROR, sentence=UNREADABLE)
    else:
        outcome = sender.send(Outgoing(url, headers, body))
    return Result(
        claim=claim,
        outcome=outcome,
        url=url,
        body_sha256=hashlib.sha256(body).hexdigest(),
        started_at=started_at,
        finished_at=utc_now(),
    )


def _headers(claim: Claim, body: bytes, timestamp: int) -> tuple[tuple[str, str], ...]:
    own = claim.webhook.headers_ciphertext
    added = tuple((name, value) for name, value in json.loads(decrypt(own))) if own else ()
    return added + signing.headers(
        delivery_id=claim.delivery.id,
        event_word=claim.event_word,
        event_id=claim.event.id if claim.event else None,
        attempt_number=claim.delivery.attempts_made,
        body=body,
        timestamp=timestamp,
        secrets=claim.secrets(utc_now()),
        is_test=claim.delivery.kind is DeliveryKind.TEST,
    )
