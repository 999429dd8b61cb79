"""A claim: one delivery that this worker owns for the length of a lease, with all that is needed to send it."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from webapp.delivery import composing, payloads
from webapp.delivery.recipients import Recipient, Recipients
from webapp.models import Attempt, Delivery, DeliveryKind, Event, PayloadFormat, bulk, packed
from webapp.models.among import among
from webapp.models.base import new_attempt_id, table_of

EVENTS_AT_ONCE = 64  # read in one step: while that lasts, their values are in memory several times

_DELIVERY, _EVENT, _ATTEMPT = table_of(Delivery), table_of(Event), table_of(Attempt)
CLAIMED = (
    _DELIVERY.c.seq,
    _DELIVERY.c.id,
    _DELIVERY.c.kind,
    _DELIVERY.c.webhook_id,
    _DELIVERY.c.event_seq,
    _DELIVERY.c.snapshot_seq,
    _DELIVERY.c.event_type,
    _DELIVERY.c.payload_format,
    _DELIVERY.c.sample,
    _DELIVERY.c.claim_token,
    _DELIVERY.c.claims,
    _DELIVERY.c.attempts_made,
)


class Claim(NamedTuple):
    """What a sender thread gets. `redelivery_seq` says that a person asked for it; `at` is the monotonic clock's."""

    delivery: Any
    event: Any
    snapshot: bytes
    recipient: Recipient
    attempt_id: str
    redelivery_seq: int | None
    claimed_at: datetime
    at: float
    is_probe: bool = False

    @property
    def seq(self) -> int:
        """The delivery's number."""
        seq: int = self.delivery.seq
        return seq

    @property
    def token(self) -> int:
        """The fencing token: every later write names it."""
        token: int = self.delivery.claim_token
        return token

    @property
    def is_suspect(self) -> bool:
        """Whether it had been claimed before without an outcome."""
        return bool(self.delivery.claims > 1)

    @property
    def is_scheduled(self) -> bool:
        """Whether it is an event's delivery by its schedule: nobody asked for it just now."""
        return self.redelivery_seq is None and self.delivery.kind is DeliveryKind.EVENT

    @property
    def event_word(self) -> str:
        """The word in the body and in X-Webhook-Event."""
        code: str = self.delivery.event_type
        is_compact = self.delivery.payload_format is PayloadFormat.COMPACT and code != payloads.HEALTH_CHECK
        return payloads.compact_word(code) if is_compact else code

    def now(self) -> datetime:
        """The time by the clock of the claim, which is the database's. It never goes back, whatever ours does."""
        return self.claimed_at + timedelta(seconds=time.monotonic() - self.at)

    def body(self) -> bytes:
        """The exact bytes to send."""
        return composing.body(self.delivery, self.event, self.snapshot)


_EVENTS = sa.select(
    _EVENT.c.seq, _EVENT.c.id, _EVENT.c.type, _EVENT.c.previous_value, _EVENT.c.current_value, _EVENT.c.compact
).where(among(_EVENT.c.seq, "seqs"))
_EXISTS_FIRST = sa.insert(_ATTEMPT)


def make(
    connection: Connection,
    rows: Sequence[Any],
    *,
    redeliveries: Mapping[int, int],
    probed: Collection[int],
    worker: str,
    recipients: Recipients,
    locked: Mapping[str, Any],
    now: datetime,
) -> list[Claim]:
    """Claims of freshly leased delivery rows (columns CLAIMED). Their attempt rows are written here: they exist before
    anything is sent. `redeliveries` maps a delivery's number to that of the redelivery that asked for it; `probed` are
    the numbers of those that go out as probes of paused webhooks; `locked` are webhooks read when they were locked.
    """
    events = _events(connection, {row.event_seq for row in rows if row.event_seq is not None})
    snapshots = recipients.snapshots(connection, {row.snapshot_seq for row in rows})
    to = recipients.of(connection, {row.webhook_id for row in rows}, locked)
    at = time.monotonic()
    claims = [
        Claim(
            delivery=row,
            event=events.get(row.event_seq),
            snapshot=snapshots[row.snapshot_seq],
            recipient=to[row.webhook_id],
            attempt_id=new_attempt_id(),
            redelivery_seq=redeliveries.get(row.seq),
            claimed_at=now,
            at=at,
            is_probe=row.seq in probed,
        )
        for row in rows
    ]
    bulk.execute(connection, _EXISTS_FIRST, [_attempt(claim, worker) for claim in claims])
    return claims


def _attempt(claim: Claim, worker: str) -> dict[str, Any]:
    return {
        "id": claim.attempt_id,
        "delivery_seq": claim.seq,
        "redelivery_seq": claim.redelivery_seq,
        "number": claim.delivery.attempts_made,
        "claim_token": claim.token,
        "worker": worker,
        "claimed_at": claim.claimed_at,
        "is_late": False,
        "is_cut": False,
    }


def _events(connection: Connection, seqs: set[int]) -> dict[int, Any]:
    wanted = sorted(seqs)
    found: dict[int, Any] = {}
    for start in range(0, len(wanted), EVENTS_AT_ONCE):
        some = wanted[start : start + EVENTS_AT_ONCE]
        found |= {row.seq: row for row in packed.rows(connection, _EVENTS, {"seqs": some})}
    return found
