"""One attempt: the body composed, signed and sent. Whatever happens becomes a result."""

from __future__ import annotations

import hashlib
import logging
from datetime import datetime
from typing import NamedTuple

from webapp.delivery import signing
from webapp.delivery.claims import Claim
from webapp.delivery.health import HEALTH_CHECK_LIMIT
from webapp.delivery.outcomes import Pairs
from webapp.delivery.recording import Result
from webapp.delivery.sending import Outcome, Outgoing, Sender
from webapp.models import DeliveryKind, ErrorWord

log = logging.getLogger(__name__)

UNREADABLE = (
    "The secret or a header of this webhook was encrypted with a key that this installation does not have. "
    "Set it again, or ask the operator for the key."
)
MASKED = "(set)"  # what the log shows for the value of a webhook's own header: it is a secret of the receiver


class NoOutcome(NamedTuple):
    """A claim that ended without one: nothing was sent, so it is given back, or nobody knows and its lease runs out.

    `error` is what hinders this process from sending anything.
    """

    claim: Claim
    is_unsent: bool
    error: OSError | None = None


def attempt_in_thread(claim: Claim, sender: Sender) -> Result | NoOutcome:
    """What `attempt` does, and never an error: it would end the thread, and nobody would hear of the claim again."""
    try:
        return attempt(claim, sender)
    except OSError as error:  # no file descriptor left: our own trouble, and nothing was sent
        return NoOutcome(claim, is_unsent=True, error=error)
    except Exception:
        named = {"delivery": claim.delivery.id, "attempt": claim.attempt_id, "webhook": claim.delivery.webhook_id}
        log.exception("an attempt ended without an outcome; its lease runs out", extra=named)
        return NoOutcome(claim, is_unsent=False)


def attempt(claim: Claim, sender: Sender) -> Result:
    """Send what a claim names. Never raises for what a receiver, a network or the webhook's own settings do."""
    started_at = claim.now()
    recipient = claim.recipient
    body = claim.body()
    if recipient.is_readable:
        headers = recipient.headers + _signed_headers(claim, body, started_at)
        limit = HEALTH_CHECK_LIMIT if claim.delivery.kind is DeliveryKind.HEALTH_CHECK else None
        outcome = _masked(sender.send(Outgoing(recipient.url, headers, body), timeout=limit), recipient.headers)
    else:
        outcome = Outcome(error=ErrorWord.CONFIG_ERROR, sentence=UNREADABLE)
    return Result(
        claim=claim,
        outcome=outcome,
        url=recipient.url,
        body_sha256=hashlib.sha256(body).hexdigest(),
        started_at=started_at,
        finished_at=claim.now(),
    )


def _signed_headers(claim: Claim, body: bytes, at: datetime) -> Pairs:
    return signing.headers(
        delivery_id=claim.delivery.id,
        event_word=claim.event_word,
        event_id=claim.event.id if claim.event else None,
        attempt_number=claim.delivery.attempts_made,
        body=body,
        timestamp=int(at.timestamp()),
        keys=claim.recipient.keys_at(at),
        is_test=claim.delivery.kind is DeliveryKind.TEST,
    )


def _masked(outcome: Outcome, own: Pairs) -> Outcome:
    """The same outcome; of the webhook's own headers only the names are left to be written down."""
    if not own:
        return outcome
    names = {name.lower() for name, _ in own}
    shown = ((name, MASKED if name.lower() in names else value) for name, value in outcome.request_headers)
    return outcome._replace(request_headers=tuple(shown))
