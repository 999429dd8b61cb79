"""What is due: which webhooks have something waiting, and their oldest deliveries. It only reads, by indexes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from webapp.models import Delivery, packed
from webapp.models.base import table_of

MAX_WEBHOOKS = 64  # served by one claim

_DELIVERY = table_of(Delivery)
_NOW = sa.bindparam("now", type_=_DELIVERY.c.next_attempt_at.type)

# Walks the index from webhook to webhook, not from row to row: 100,000 rows of 1,000 webhooks are 1,000 steps.
# What is seldom there is looked for by partial indexes, in the same statement: mostly one look instead of five.
_LOOK = (
    sa.text(
        """
        WITH RECURSIVE step(id) AS (
            SELECT (SELECT webhook_id FROM delivery WHERE next_attempt_at IS NOT NULL AND lease_until IS NULL
                    AND webhook_id > :cursor ORDER BY webhook_id LIMIT 1)
            UNION ALL
            SELECT (SELECT webhook_id FROM delivery WHERE next_attempt_at IS NOT NULL AND lease_until IS NULL
                    AND webhook_id > step.id ORDER BY webhook_id LIMIT 1)
            FROM step WHERE step.id IS NOT NULL
        ), waiting AS (
            SELECT step.id, webhook_health.paused_at IS NOT NULL AS is_paused
            FROM step LEFT JOIN webhook_health ON webhook_health.webhook_id = step.id
            WHERE step.id IS NOT NULL
                AND (SELECT min(next_attempt_at) FROM delivery
                     WHERE webhook_id = step.id AND next_attempt_at IS NOT NULL AND lease_until IS NULL) <= :now
                AND (webhook_health.paused_at IS NULL OR webhook_health.probe_at IS NULL
                     OR webhook_health.probe_at <= :now)
            LIMIT :most
        )
        SELECT EXISTS (SELECT 1 FROM redelivery WHERE finished_at IS NULL) AS wishes,
            EXISTS (SELECT 1 FROM delivery
                    WHERE next_attempt_at IS NOT NULL AND lease_until IS NULL AND kind <> 'event') AS express,
            EXISTS (SELECT 1 FROM delivery
                    WHERE next_attempt_at IS NOT NULL AND lease_until IS NULL AND claims > 0) AS suspects,
            waiting.id AS webhook, waiting.is_paused AS is_paused
        FROM (SELECT 1) AS once LEFT JOIN waiting ON 1 = 1
        """
    )
    .bindparams(_NOW)
    .columns(wishes=sa.Boolean, express=sa.Boolean, suspects=sa.Boolean, webhook=sa.String, is_paused=sa.Boolean)
)

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


class Look(NamedTuple):
    """What there is: any wish to send again, ping or test, suspect; and up to 64 webhooks with something due.

    Each webhook with whether it is paused. `cursor` is where the next claim goes on, empty when one claim serves all.
    """

    wishes: bool
    express: bool
    suspects: bool
    webhooks: dict[str, bool]
    cursor: str


def look(connection: Connection, *, cursor: str, now: datetime) -> Look:
    """What there is to claim: webhooks from the cursor on, and round again."""
    values = {"now": now, "most": MAX_WEBHOOKS}
    first = packed.rows(connection, _LOOK, {**values, "cursor": cursor})
    found = _webhooks(first)
    if len(found) < MAX_WEBHOOKS and cursor:
        again = _webhooks(packed.rows(connection, _LOOK, {**values, "cursor": ""}))
        round_again = [webhook for webhook in again if webhook <= cursor][: MAX_WEBHOOKS - len(found)]
        found |= {webhook: again[webhook] for webhook in round_again}
    seldom = first[0]
    goes_on_at = next(reversed(found)) if len(found) == MAX_WEBHOOKS else ""
    return Look(seldom.wishes, seldom.express, seldom.suspects, found, goes_on_at)


def _webhooks(rows: Sequence[Any]) -> dict[str, bool]:
    return {row.webhook: row.is_paused for row in rows if row.webhook is not None}


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
