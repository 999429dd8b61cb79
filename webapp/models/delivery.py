"""Deliveries, their attempts, and redeliveries by hand; and the closed lists of states and error words."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from webapp.models.base import Base, UtcTime, new_attempt_id, new_delivery_id, new_id, partial_index, utc_now, word_of
from webapp.models.event import Event, Seq
from webapp.models.webhook import PayloadFormat, Webhook


class DeliveryState(StrEnum):
    """What people see. `next_attempt_at` alone decides what is due."""

    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    HELD = "held"
    CANCELLED = "cancelled"
    STUCK = "stuck"


UNSETTLED = (DeliveryState.PENDING, DeliveryState.HELD)


class DeliveryKind(StrEnum):
    """What is delivered: an event, or one of the three that people and the system ask for."""

    EVENT = "event"
    PING = "ping"
    TEST = "test"
    HEALTH_CHECK = "health_check"


class ErrorWord(StrEnum):
    """Why an attempt got no usable answer: the closed list of the contract."""

    ADDRESS_REFUSED = "address_refused"
    DNS_NOT_FOUND = "dns_not_found"
    DNS_TIMEOUT = "dns_timeout"
    CONNECT_REFUSED = "connect_refused"
    CONNECT_TIMEOUT = "connect_timeout"
    TLS_ERROR = "tls_error"
    TIMED_OUT = "timed_out"
    CONNECTION_LOST = "connection_lost"
    INVALID_RESPONSE = "invalid_response"
    REDIRECT_REFUSED = "redirect_refused"
    RESPONSE_TOO_LARGE = "response_too_large"
    PROXY_ERROR = "proxy_error"
    CONFIG_ERROR = "config_error"


IS_WAITING = "next_attempt_at IS NOT NULL AND lease_until IS NULL"


class Delivery(Base):
    """One event owed to one webhook. Its id is the `webhook-id` of every attempt.

    A body is composed of the event's bytes and the snapshot's; a test has no event and keeps its whole
    body in `sample`.
    """

    __tablename__ = "delivery"

    seq: Mapped[int] = mapped_column(Seq, primary_key=True, autoincrement=True)
    id: Mapped[str] = mapped_column(sa.String(64), unique=True, default=new_delivery_id)
    kind: Mapped[DeliveryKind] = mapped_column(word_of(DeliveryKind, 12), default=DeliveryKind.EVENT)
    webhook_id: Mapped[str] = mapped_column(sa.ForeignKey("webhook.id", ondelete="CASCADE"))
    event_seq: Mapped[int | None] = mapped_column(sa.ForeignKey("event.seq", ondelete="CASCADE"))
    snapshot_seq: Mapped[int] = mapped_column(sa.ForeignKey("webhook_snapshot.seq"))
    event_type: Mapped[str] = mapped_column(sa.String(64))
    project_id: Mapped[str | None] = mapped_column(sa.String(64))
    payload_format: Mapped[PayloadFormat] = mapped_column(word_of(PayloadFormat, 10), default=PayloadFormat.FULL)
    sample: Mapped[bytes | None]
    body_sha256: Mapped[str | None] = mapped_column(sa.String(64))

    state: Mapped[DeliveryState] = mapped_column(word_of(DeliveryState, 10), default=DeliveryState.PENDING)
    reason: Mapped[str | None] = mapped_column(sa.String(40))
    next_attempt_at: Mapped[datetime | None] = mapped_column(UtcTime)
    attempts_counted: Mapped[int] = mapped_column(default=0)  # with a known outcome, on the schedule
    attempts_made: Mapped[int] = mapped_column(default=0)  # all of them, the number of the newest
    last_status: Mapped[int | None]
    last_error: Mapped[ErrorWord | None] = mapped_column(word_of(ErrorWord, 20))
    last_ms: Mapped[float | None] = mapped_column(sa.Double)

    claim_token: Mapped[int] = mapped_column(default=0)
    claims: Mapped[int] = mapped_column(default=0)  # since the last known outcome
    lease_until: Mapped[datetime | None] = mapped_column(UtcTime)

    created_at: Mapped[datetime] = mapped_column(UtcTime, default=utc_now)
    held_at: Mapped[datetime | None] = mapped_column(UtcTime)
    settled_at: Mapped[datetime | None] = mapped_column(UtcTime)

    webhook: Mapped[Webhook] = relationship()
    event: Mapped[Event | None] = relationship()
    attempts: Mapped[list[Attempt]] = relationship(
        back_populates="delivery", order_by="Attempt.seq", cascade="all, delete-orphan"
    )

    @property
    def is_in_flight(self) -> bool:
        """Whether a worker owns it now."""
        return self.lease_until is not None

    @property
    def is_settled(self) -> bool:
        """Whether nothing more happens by itself."""
        return self.state not in UNSETTLED and not self.is_in_flight

    __table_args__ = (
        sa.UniqueConstraint("event_seq", "webhook_id"),
        # Claiming: what waits, of each webhook, oldest first.
        partial_index(
            "ix_delivery_due",
            "webhook_id",
            "next_attempt_at",
            "seq",
            where=IS_WAITING,
        ),
        partial_index(
            "ix_delivery_express",
            "seq",
            where=f"{IS_WAITING} AND kind <> 'event'",
        ),
        partial_index(
            "ix_delivery_next_attempt_at",
            "next_attempt_at",
            where=IS_WAITING,
        ),
        # Suspects: claimed before without an outcome.
        partial_index(
            "ix_delivery_suspect",
            "next_attempt_at",
            where=f"{IS_WAITING} AND claims > 0",
        ),
        # Which webhooks are failing.
        partial_index(
            "ix_delivery_retrying",
            "webhook_id",
            where="state = 'pending' AND kind = 'event' AND attempts_counted > 0",
        ),
        partial_index("ix_delivery_leased", "webhook_id", "lease_until", where="lease_until IS NOT NULL"),
        # The log: newest first, of one webhook, by state, event type, error.
        sa.Index("ix_delivery_webhook_id_seq", "webhook_id", "seq"),
        sa.Index("ix_delivery_webhook_id_state_seq", "webhook_id", "state", "seq"),
        sa.Index("ix_delivery_webhook_id_event_type_seq", "webhook_id", "event_type", "seq"),
        partial_index("ix_delivery_error", "webhook_id", "last_error", "seq", where="last_error IS NOT NULL"),
        sa.Index("ix_delivery_created_at", "created_at"),
        # Pruning: which snapshots are still named.
        sa.Index("ix_delivery_snapshot_seq", "snapshot_seq"),
        {"sqlite_autoincrement": True},
    )


class Attempt(Base):
    """One HTTP request. The row exists from the claim on; without an outcome it reads "unknown"."""

    __tablename__ = "attempt"

    seq: Mapped[int] = mapped_column(Seq, primary_key=True, autoincrement=True)
    id: Mapped[str] = mapped_column(sa.String(64), unique=True, default=new_attempt_id)
    delivery_seq: Mapped[int] = mapped_column(sa.ForeignKey("delivery.seq", ondelete="CASCADE"), index=True)
    redelivery_seq: Mapped[int | None] = mapped_column(Seq)
    number: Mapped[int]
    claim_token: Mapped[int]
    worker: Mapped[str] = mapped_column(sa.String(100))
    claimed_at: Mapped[datetime] = mapped_column(UtcTime)
    started_at: Mapped[datetime | None] = mapped_column(UtcTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcTime)
    is_late: Mapped[bool] = mapped_column(default=False)

    url: Mapped[str | None] = mapped_column(sa.String(2048))
    request_headers: Mapped[list[list[str]] | None] = mapped_column(sa.JSON(none_as_null=True))
    status: Mapped[int | None]
    error: Mapped[ErrorWord | None] = mapped_column(word_of(ErrorWord, 20))
    sentence: Mapped[str | None] = mapped_column(sa.Text)
    phrase: Mapped[str | None] = mapped_column(sa.String(200))
    response_headers: Mapped[list[list[str]] | None] = mapped_column(sa.JSON(none_as_null=True))
    response_body: Mapped[bytes | None]
    is_cut: Mapped[bool] = mapped_column(default=False)
    retry_after_s: Mapped[float | None] = mapped_column(sa.Double)
    peer: Mapped[str | None] = mapped_column(sa.String(64))
    dns_ms: Mapped[float | None] = mapped_column(sa.Double)
    connect_ms: Mapped[float | None] = mapped_column(sa.Double)
    tls_ms: Mapped[float | None] = mapped_column(sa.Double)
    first_byte_ms: Mapped[float | None] = mapped_column(sa.Double)
    total_ms: Mapped[float | None] = mapped_column(sa.Double)

    delivery: Mapped[Delivery] = relationship(back_populates="attempts")

    @property
    def is_known(self) -> bool:
        """Whether its outcome was recorded."""
        return self.finished_at is not None

    @property
    def is_by_hand(self) -> bool:
        """Whether a person asked for it."""
        return self.redelivery_seq is not None

    __table_args__ = ({"sqlite_autoincrement": True},)


class Redelivery(Base):
    """A person's wish to send a delivery again: a row of its own, claimed with the rest and before it."""

    __tablename__ = "redelivery"

    seq: Mapped[int] = mapped_column(Seq, primary_key=True, autoincrement=True)
    id: Mapped[str] = mapped_column(sa.String(64), unique=True, default=new_id)
    delivery_seq: Mapped[int] = mapped_column(sa.ForeignKey("delivery.seq", ondelete="CASCADE"), index=True)
    requested_by_id: Mapped[str | None] = mapped_column(sa.ForeignKey("user.id", ondelete="SET NULL"))
    replay_seq: Mapped[int | None] = mapped_column(Seq)
    requested_at: Mapped[datetime] = mapped_column(UtcTime, default=utc_now)
    finished_at: Mapped[datetime | None] = mapped_column(UtcTime)

    delivery: Mapped[Delivery] = relationship()

    __table_args__ = (
        partial_index("ix_redelivery_waiting", "seq", where="finished_at IS NULL"),
        # The progress of a replay.
        partial_index("ix_redelivery_replay_seq", "replay_seq", "seq", where="replay_seq IS NOT NULL"),
        {"sqlite_autoincrement": True},
    )
