"""Tallying: outcomes are counted for or against the health of their webhooks, in the transaction that records them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from webapp.delivery.health import Advice, Health, after_failure, judge
from webapp.models import WebhookHealth
from webapp.models.among import among
from webapp.models.base import table_of

SUCCESS_NOTED_EVERY = timedelta(seconds=10)  # a healthy webhook's row is not written for every delivery

_HEALTH = table_of(WebhookHealth)
_ROWS = (
    sa.select(_HEALTH).where(among(_HEALTH.c.webhook_id, "webhooks")).order_by(_HEALTH.c.webhook_id).with_for_update()
)
_NOTE = sa.update(_HEALTH).where(_HEALTH.c.webhook_id == sa.bindparam("_webhook_id"))


class Tally(NamedTuple):
    """One outcome as health sees it. Failures that do not count (by hand, pings, tests) are not among them."""

    webhook_id: str
    at: datetime
    claimed_at: datetime
    is_success: bool
    is_probe: bool = False
    status: int | None = None
    word: str = ""

    @property
    def is_gone(self) -> bool:
        """Whether the receiver said that it is gone for good."""
        return self.status == HTTPStatus.GONE


class Consequence(NamedTuple):
    """What recording asks to be looked at in a transaction of its own, with the webhook's row locked first."""

    webhook_id: str
    is_gone: bool = False
    proven_at: datetime | None = None  # a success of an attempt that was claimed then


def count(connection: Connection, tallies: Sequence[Tally], now: datetime) -> list[Consequence]:
    """Count outcomes of fenced results, each once; returns the webhooks about which something may have to be done."""
    by_webhook: dict[str, list[Tally]] = defaultdict(list)
    for tally in sorted(tallies, key=lambda tally: tally.at):
        by_webhook[tally.webhook_id].append(tally)
    if not by_webhook:
        return []
    rows = connection.execute(_ROWS, {"webhooks": list(by_webhook)}).all()
    changes, consequences = [], []
    for row in rows:
        own = by_webhook[row.webhook_id]
        before, after = health_of(row), _after(health_of(row), own)
        if after != before or _is_news(row, own):
            changes.append(_columns(row, after, own))
        consequences += _consequences(row.webhook_id, after, own, now)
    if changes:
        connection.execute(_NOTE, changes)
    return consequences


def health_of(row: Any) -> Health:
    """The health in a row of webhook_health (a row or the model)."""
    return Health(
        failures=row.failures_in_a_row,
        first_failure_at=row.first_failure_at,
        paused_at=row.paused_at,
        probe_at=row.probe_at,
        probes=row.probes,
        warned_at=row.warned_at,
    )


def _after(health: Health, tallies: Iterable[Tally]) -> Health:
    for tally in tallies:
        health = Health() if tally.is_success else after_failure(health, tally.at, is_probe=tally.is_probe)
    return health


def _is_news(row: Any, tallies: Sequence[Tally]) -> bool:
    """Whether the row is worth writing although the health is what it was."""
    newest = max(tally.at for tally in tallies)
    return row.last_success_at is None or newest - row.last_success_at > SUCCESS_NOTED_EVERY


def _columns(row: Any, health: Health, tallies: Sequence[Tally]) -> dict[str, Any]:
    succeeded = [tally.at for tally in tallies if tally.is_success]
    failed = [tally.at for tally in tallies if not tally.is_success]
    return {
        "_webhook_id": row.webhook_id,
        "failures_in_a_row": health.failures,
        "first_failure_at": health.first_failure_at,
        "paused_at": health.paused_at,
        "probe_at": health.probe_at,
        "probes": health.probes,
        "warned_at": health.warned_at,
        "last_success_at": succeeded[-1] if succeeded else row.last_success_at,
        "last_failure_at": failed[-1] if failed else row.last_failure_at,
        "last_outcome": tallies[-1].word,
    }


def _consequences(webhook_id: str, health: Health, tallies: Sequence[Tally], now: datetime) -> list[Consequence]:
    if any(tally.is_gone for tally in tallies):
        return [Consequence(webhook_id, is_gone=True)]
    if judge(health, now) is not Advice.NOTHING:
        return [Consequence(webhook_id)]
    succeeded = [tally.claimed_at for tally in tallies if tally.is_success]
    return [Consequence(webhook_id, proven_at=min(succeeded))] if succeeded else []
