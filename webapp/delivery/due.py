"""What is due: which webhooks have something waiting, and their oldest deliveries. It only reads, by indexes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from webapp.models import Delivery, Webhook, packed
from webapp.models.among import among
from webapp.models.base import table_of

MAX_WEBHOOKS = 64  # served by one claim

_DELIVERY, _WEBHOOK = table_of(Delivery), table_of(Webhook)
_NOW = sa.bindparam("now", type_=_DELIVERY.c.next_attempt_at.type)

# Walks the index from webhook to webhook, not from row to row: 100,000 rows of 1,000 webhooks are 1,000 steps.
_WAITING_WEBHOOKS = sa.text(
    """
    WITH RECURSIVE step(id) AS (
        SELECT (SELECT webhook_id FROM delivery WHERE next_attempt_at IS NOT NULL AND lease_until IS NULL
                AND webhook_id > :cursor ORDER BY webhook_id LIMIT 1)
        UNION ALL
        SELECT (SELECT webhook_id FROM delivery WHERE next_attempt_at IS NOT NULL AND lease_until IS NULL
                AND webhook_id > step.id ORDER BY webhook_id LIMIT 1)
        FROM step WHERE step.id IS NOT NULL
    )
    SELECT step.id, webhook_health.paused_at IS NOT NULL AS is_paused
    FROM step LEFT JOIN webhook_health ON webhook_health.webhook_id = step.id
    WHERE step.id IS NOT NULL
        AND (SELECT min(next_attempt_at) FROM delivery
             WHERE webhook_id = step.id AND next_attempt_at IS NOT NULL AND lease_until IS NULL) <= :now
        AND (webhook_health.paused_at IS NULL OR webhook_health.probe_at IS NULL OR webhook_health.probe_at <= :now)
    LIMIT :most
    """
).bindparams(_NOW)

# The oldest due deliveries of several webhooks, `most` of each: SQLite has no LATERAL.
_OLDEST = {
    "sqlite": sa.text(
        """
        SELECT delivery.seq, delivery.webhook_id FROM json_each(:webhooks) AS wanted
        JOIN delivery ON delivery.seq IN (
            SELECT seq FROM delivery
            WHERE webhook_id = wanted.value AND next_attempt_at <= :now AND lease_until IS NULL
                AND claims = 0 AND kind = 'event'
            ORDER BY next_attempt_at, seq LIMIT :most
        )
        ORDER BY delivery.next_attempt_at, delivery.seq
        """
    )
    .bindparams(_NOW)
    .columns(seq=sa.Integer, webhook_id=sa.String),
    "postgresql": sa.text(
        """
        SELECT oldest.seq, oldest.webhook_id FROM json_array_elements_text(CAST(:webhooks AS json)) AS wanted(id)
        CROSS JOIN LATERAL (
            SELECT seq, webhook_id, next_attempt_at FROM delivery
            WHERE webhook_id = wanted.id AND next_attempt_at <= :now AND lease_until IS NULL
                AND claims = 0 AND kind = 'event'
            ORDER BY next_attempt_at, seq LIMIT :most
        ) AS oldest
        ORDER BY oldest.next_attempt_at, oldest.seq
        """
    )
    .bindparams(_NOW)
    .columns(seq=sa.BigInteger, webhook_id=sa.String),
}

# PostgreSQL: whoever holds the webhooks' rows decides what is in flight; others serve other webhooks meanwhile.
_LOCKED = (
    sa.select(_WEBHOOK.c.id).where(among(_WEBHOOK.c.id, "webhooks")).with_for_update(skip_locked=True, key_share=True)
)


def webhooks(connection: Connection, *, cursor: str, now: datetime) -> tuple[dict[str, bool], str]:
    """Up to 64 webhooks with something due, from the cursor on and round again, and whether they are paused.

    Also where the next claim goes on; empty when one claim serves all that wait.
    """
    values = {"now": now, "most": MAX_WEBHOOKS}
    first = connection.execute(_WAITING_WEBHOOKS, {**values, "cursor": cursor})
    found = {row[0]: bool(row[1]) for row in first}
    if len(found) < MAX_WEBHOOKS and cursor:
        again = connection.execute(_WAITING_WEBHOOKS, {**values, "cursor": ""}).all()
        round_again = [row for row in again if row[0] <= cursor][: MAX_WEBHOOKS - len(found)]
        found |= {row[0]: bool(row[1]) for row in round_again}
    cursor = next(reversed(found)) if len(found) == MAX_WEBHOOKS else ""
    if connection.dialect.name != "sqlite" and found:
        mine = set(connection.scalars(_LOCKED, {"webhooks": list(found)}))
        found = {webhook: is_paused for webhook, is_paused in found.items() if webhook in mine}
    return found, cursor


def oldest(connection: Connection, room: Mapping[str, int], *, now: datetime) -> dict[str, list[int]]:
    """The numbers of the oldest due deliveries of each webhook, at most as many as there is room for."""
    wanted = {webhook: count for webhook, count in room.items() if count > 0}
    if not wanted:
        return {}
    values = {"now": now, "most": max(wanted.values()), "webhooks": json.dumps(list(wanted))}
    found: dict[str, list[int]] = {webhook: [] for webhook in wanted}
    for seq, webhook in packed.rows(connection, _OLDEST[connection.dialect.name], values):
        if len(found[webhook]) < wanted[webhook]:
            found[webhook].append(seq)
    return found
