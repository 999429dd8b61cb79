"""Webhooks: what a person sets up, the bytes that show it in payloads, and what is known of the endpoint's health."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from webapp.models.account import User
from webapp.models.base import Base, UtcTime, new_id, new_uid, partial_index, utc_now, word_of


class WebhookStatus(StrEnum):
    """Blue's word on the wire. UNHEALTHY = disabled by the system."""

    HEALTHY = "HEALTHY"
    UNHEALTHY = "UNHEALTHY"


class PayloadFormat(StrEnum):
    """How a webhook's bodies are written: as Blue sends them, or the short form with the person who did it."""

    FULL = "full"
    COMPACT = "compact"


class DisabledBecause(StrEnum):
    """Who or what switched a webhook off."""

    OWNER = "owner"
    GONE = "gone"
    FAILURES = "failures"


class Webhook(Base):
    """What a person sets up. `events` and `project_ids` are lists; an empty one means all."""

    __tablename__ = "webhook"

    id: Mapped[str] = mapped_column(sa.String(64), primary_key=True, default=new_id)
    uid: Mapped[str] = mapped_column(sa.String(32), default=new_uid)
    name: Mapped[str] = mapped_column(sa.String(100))
    url: Mapped[str] = mapped_column(sa.String(2048))
    status: Mapped[WebhookStatus] = mapped_column(word_of(WebhookStatus, 10), default=WebhookStatus.HEALTHY)
    enabled: Mapped[bool] = mapped_column(default=True)
    events: Mapped[list[str]] = mapped_column(sa.JSON, default=list)
    project_ids: Mapped[list[str]] = mapped_column(sa.JSON, default=list)
    created_by_id: Mapped[str] = mapped_column(sa.ForeignKey("user.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime] = mapped_column(UtcTime, default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(UtcTime, default=utc_now)
    deleted_at: Mapped[datetime | None] = mapped_column(UtcTime)

    # Ours, never in a payload. Ciphertexts are kept as such, so that a lost key spoils an attempt and not a page.
    secret_ciphertext: Mapped[str | None] = mapped_column("secret", sa.Text)
    previous_secret_ciphertext: Mapped[str | None] = mapped_column("previous_secret", sa.Text)
    previous_secret_until: Mapped[datetime | None] = mapped_column(UtcTime)
    payload_format: Mapped[PayloadFormat] = mapped_column(word_of(PayloadFormat, 10), default=PayloadFormat.FULL)
    headers_ciphertext: Mapped[str | None] = mapped_column("headers", sa.Text)
    filter: Mapped[dict[str, Any] | None] = mapped_column(sa.JSON(none_as_null=True))
    snapshot_seq: Mapped[int | None] = mapped_column(sa.BigInteger)
    disabled_at: Mapped[datetime | None] = mapped_column(UtcTime)
    disabled_because: Mapped[DisabledBecause | None] = mapped_column(word_of(DisabledBecause, 20))
    health_check: Mapped[dict[str, Any] | None] = mapped_column(sa.JSON)

    created_by: Mapped[User] = relationship()
    health: Mapped[WebhookHealth] = relationship(back_populates="webhook", cascade="all, delete-orphan", uselist=False)

    __table_args__ = (partial_index("ix_webhook_deleted_at", "deleted_at", where="deleted_at IS NOT NULL"),)

    @property
    def is_signed(self) -> bool:
        """Whether requests carry signatures."""
        return self.secret_ciphertext is not None


class WebhookSnapshot(Base):
    """The bytes of the webhook object as payloads show it; one row each time that changes. Deliveries name theirs."""

    __tablename__ = "webhook_snapshot"

    seq: Mapped[int] = mapped_column(primary_key=True)
    webhook_id: Mapped[str] = mapped_column(sa.ForeignKey("webhook.id", ondelete="CASCADE"), index=True)
    body: Mapped[bytes]
    created_at: Mapped[datetime] = mapped_column(UtcTime, default=utc_now)


class WebhookHealth(Base):
    """Counters of one webhook; a table of its own, so that counting makes no new snapshot."""

    __tablename__ = "webhook_health"

    webhook_id: Mapped[str] = mapped_column(sa.ForeignKey("webhook.id", ondelete="CASCADE"), primary_key=True)
    failures_in_a_row: Mapped[int] = mapped_column(default=0)
    first_failure_at: Mapped[datetime | None] = mapped_column(UtcTime)
    last_failure_at: Mapped[datetime | None] = mapped_column(UtcTime)
    last_success_at: Mapped[datetime | None] = mapped_column(UtcTime)
    last_outcome: Mapped[str | None] = mapped_column(sa.String(30))
    paused_at: Mapped[datetime | None] = mapped_column(UtcTime)
    probe_at: Mapped[datetime | None] = mapped_column(UtcTime)
    probes: Mapped[int] = mapped_column(default=0)
    warned_at: Mapped[datetime | None] = mapped_column(UtcTime)

    webhook: Mapped[Webhook] = relationship(back_populates="health")
