"""Choosing: which deliveries a worker may claim now. It reads, and on PostgreSQL locks webhooks; the claim leases.

First what people ask for (redeliveries, pings, tests), past pause and cap. Then what is due, fairly: up to 64 webhooks
from a cursor that rotates over the waiting ones, oldest first within each; five in flight are guaranteed to a webhook,
idle slots may be borrowed while no other waits. Half of a worker's slots are neither lent nor given to webhooks that
keep their slots for seconds, so that a new event always finds one. What is claimed ahead for a quick receiver waits in
a lane and needs no slot. A paused webhook gets one probe when its time has come. Last, with the slots that are left,
what a replay wants again. A delivery that was claimed before without an outcome, a suspect, is taken alone and one at a
time, so that one that takes its worker down cannot take others along again and again.

The statements are constants over tables: building one anew costs several times what running it does.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import chain, zip_longest
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from webapp.delivery import due, recipients
from webapp.delivery.due import Look
from webapp.delivery.paces import Paces
from webapp.delivery.recipients import Recipients
from webapp.extensions import db
from webapp.models import Delivery, DeliveryKind, Redelivery, Webhook, WebhookHealth, database_now
from webapp.models.base import UtcTime, table_of

MAX_CLAIMS = 200  # deliveries in one claim
GUARANTEED_IN_FLIGHT = 5  # per webhook, over all workers
BORROWED_IN_FLIGHT = 32  # per webhook, while no other waits
LOCKED_OUT_S = 0.02  # after which to look again what another worker had locked: longer than a claim mostly takes
CLAIMED_AHEAD = 256  # claimed by the one worker that serves a quick webhook, to be sent 32 at a time (lanes)

_DELIVERY, _REDELIVERY = table_of(Delivery), table_of(Redelivery)
_WEBHOOK, _HEALTH = table_of(Webhook), table_of(WebhookHealth)

_NOW = sa.bindparam("now", type_=_DELIVERY.c.next_attempt_at.type)
_MOST = sa.bindparam("most", type_=sa.Integer)
_IS_DUE = sa.and_(
    _DELIVERY.c.next_attempt_at.is_not(None), _DELIVERY.c.next_attempt_at <= _NOW, _DELIVERY.c.lease_until.is_(None)
)
# In the text of a statement: for a parameter the planner finds no partial index.
_EVENT = sa.literal(DeliveryKind.EVENT, _DELIVERY.c.kind.type, literal_execute=True)
_NONE = sa.literal(0, sa.Integer, literal_execute=True)
_IS_PAUSED = sa.exists().where(_HEALTH.c.webhook_id == _DELIVERY.c.webhook_id, _HEALTH.c.paused_at.is_not(None))
_AWAITS_PROBE = _IS_PAUSED.where(_HEALTH.c.probe_at > _NOW)

_IN_FLIGHT = (
    sa.select(_DELIVERY.c.webhook_id, sa.func.count())
    .where(_DELIVERY.c.lease_until.is_not(None))
    .group_by(_DELIVERY.c.webhook_id)
)
_EXPRESS = (
    sa.select(_DELIVERY.c.seq)
    .where(_IS_DUE, _DELIVERY.c.kind != _EVENT, _DELIVERY.c.claims == _NONE)
    .order_by(_DELIVERY.c.seq)
    .limit(_MOST)
)
_WISHES = (
    sa.select(_REDELIVERY.c.seq, _REDELIVERY.c.delivery_seq, _DELIVERY.c.claims)
    .join(_DELIVERY, _DELIVERY.c.seq == _REDELIVERY.c.delivery_seq)
    .join(_WEBHOOK, _WEBHOOK.c.id == _DELIVERY.c.webhook_id)
    .where(
        _REDELIVERY.c.finished_at.is_(None),
        _DELIVERY.c.lease_until.is_(None),
        _WEBHOOK.c.deleted_at.is_(None),
        sa.or_(_WEBHOOK.c.enabled, _DELIVERY.c.kind != DeliveryKind.EVENT),
    )
    .order_by(_REDELIVERY.c.seq)
    .limit(_MOST)
)
_BY_HAND = _WISHES.where(_REDELIVERY.c.replay_seq.is_(None))
_OF_REPLAYS = _WISHES.where(_REDELIVERY.c.replay_seq.is_not(None))
_SUSPECT_OF_REPLAYS = _OF_REPLAYS.where(_DELIVERY.c.claims > 0)
_NEXT_DUE = sa.select(
    sa.exists(_WISHES.order_by(None).limit(None).subquery()).label("is_wished"),
    sa.select(sa.func.min(_DELIVERY.c.next_attempt_at))
    .where(_DELIVERY.c.next_attempt_at.is_not(None), _DELIVERY.c.lease_until.is_(None))
    .scalar_subquery()
    .label("at"),
)
_NEXT_DUE_AND_TIME = _NEXT_DUE.add_columns(sa.func.clock_timestamp(type_=UtcTime).label("now"))
_SUSPECT = (
    sa.select(_DELIVERY.c.seq, _IS_PAUSED)
    .where(_IS_DUE, _DELIVERY.c.claims > _NONE, ~_AWAITS_PROBE)
    .order_by(_DELIVERY.c.next_attempt_at)
    .limit(1)
)


class Choice(NamedTuple):
    """A delivery that may be claimed now: by the schedule, for a redelivery, or as the probe of a paused webhook."""

    seq: int
    redelivery_seq: int | None = None
    is_probe: bool = False


@dataclass
class Turn:
    """What one worker process remembers between its claims. `reserve` is how many of its slots it never lends."""

    worker: str
    reserve: int = 0
    paces: Paces = field(default_factory=Paces)
    recipients: Recipients = field(default_factory=Recipients)
    leased: Counter[str] = field(default_factory=Counter)  # by webhook: claimed and not recorded yet
    orphaned: Counter[str] = field(default_factory=Counter)  # by webhook: leases of killed workers, nobody's requests
    cursor: str = ""
    is_suspect_in_flight: bool = False
    is_suspects_turn: bool = False
    is_fan_out_full: bool = False  # by the last claim: it took as many events as one takes
    locked: dict[str, Any] = field(default_factory=dict)  # by the last claim: rows of webhooks that it locked
    left_behind: bool = False  # by the last claim: more was due of some webhook than it had room for
    is_locked_out: bool = False  # by the last claim: another worker had locked some webhook of which something is due

    def give_up(self, webhook_id: str) -> None:
        """One delivery of this webhook is no longer this worker's."""
        self.leased[webhook_id] -= 1
        if not self.leased[webhook_id]:
            del self.leased[webhook_id]

    def most_in_flight(self, webhook_id: str, in_flight: int) -> int:
        """How many of a webhook may be claimed in all, while no other waits and so many are."""
        if self.paces.is_slow(webhook_id):
            return GUARANTEED_IN_FLIGHT
        is_alone = in_flight <= self.leased[webhook_id]  # another worker that sends too would pass 32 together
        return CLAIMED_AHEAD if is_alone and self.paces.is_quick(webhook_id) else BORROWED_IN_FLIGHT

    def has_more(self, was_suspect: bool) -> bool:
        """Whether another claim may find something at once, after one that found less than there was room for."""
        return bool(self.cursor) or self.is_suspects_turn or was_suspect


def until_due() -> timedelta | None:
    """How long it is until the next delivery is due, by the index alone; None when none waits.

    A wish to send again is due at once.
    """
    connection = db.session.connection()
    is_sqlite = connection.dialect.name == "sqlite"
    found = connection.execute(_NEXT_DUE if is_sqlite else _NEXT_DUE_AND_TIME).one()
    if found.is_wished:
        return timedelta(0)
    return None if found.at is None else found.at - (database_now() if is_sqlite else found.now)


def choose(connection: Connection, turn: Turn, *, now: datetime, slots: int, ahead: int = 0) -> list[Choice]:
    """Deliveries for `slots` free ones, at most MAX_CLAIMS: fresh ones and one suspect by turns.

    A suspect is also taken when there is nothing else. `ahead` is how many more there is room for in lanes.
    """
    room = _Room(now, min(slots, MAX_CLAIMS), lendable=max(0, slots - turn.reserve), ahead=ahead)
    turn.left_behind, turn.is_locked_out, turn.locked = False, False, {}
    look = due.look(connection, cursor=turn.cursor, now=now)
    wishes = _wishes(connection, _BY_HAND, room.slots) if look.wishes else []
    if not (look.wishes or look.suspects):
        return _fresh(connection, turn, room, wishes, look)
    if turn.is_suspects_turn:
        turn.is_suspects_turn = False
        if suspect := _suspect(connection, turn, wishes, now):
            return suspect
    fresh = _fresh(connection, turn, room, wishes, look)
    turn.is_suspects_turn = bool(fresh)
    return fresh or _suspect(connection, turn, wishes, now)


class _Room(NamedTuple):
    now: datetime
    slots: int
    lendable: int  # to webhooks beyond what each is guaranteed, and to slow ones
    ahead: int  # beyond what quick webhooks may have on their way: it waits in lanes and needs no slot


class _Wish(NamedTuple):
    choice: Choice
    is_suspect: bool


def _wishes(connection: Connection, query: sa.Select[int, int, int], slots: int) -> list[_Wish]:
    """The oldest wish for each delivery that somebody wants again."""
    found: dict[int, _Wish] = {}
    for seq, delivery_seq, claimed in connection.execute(query, {"most": slots}):
        found.setdefault(delivery_seq, _Wish(Choice(delivery_seq, redelivery_seq=seq), is_suspect=claimed > 0))
    return list(found.values())


def _suspect(connection: Connection, turn: Turn, wishes: Sequence[_Wish], now: datetime) -> list[Choice]:
    if turn.is_suspect_in_flight:
        return []
    by_hand = [wish.choice for wish in wishes if wish.is_suspect]
    regular = [Choice(seq, is_probe=bool(is_paused)) for seq, is_paused in connection.execute(_SUSPECT, {"now": now})]
    return by_hand[:1] or regular or [wish.choice for wish in _wishes(connection, _SUSPECT_OF_REPLAYS, 1)]


def _fresh(connection: Connection, turn: Turn, room: _Room, wishes: Sequence[_Wish], look: Look) -> list[Choice]:
    now, slots = room.now, room.slots
    chosen = [wish.choice for wish in wishes if not wish.is_suspect]
    if look.express:
        chosen += [Choice(seq) for seq in connection.scalars(_EXPRESS, {"now": now, "most": slots})]
        chosen = _first_of_each(chosen)[:slots]
    suspects = {wish.choice.seq for wish in wishes if wish.is_suspect}
    left = room._replace(slots=slots - len(chosen), ahead=0 if chosen else room.ahead)
    regular = [one for one in _regular(connection, turn, left, look) if one.seq not in suspects]
    chosen = _first_of_each([*chosen, *regular]) if chosen else regular
    if look.wishes and len(chosen) < slots:
        replayed = _wishes(connection, _OF_REPLAYS, slots - len(chosen))
        chosen = _first_of_each([*chosen, *(wish.choice for wish in replayed if not wish.is_suspect)])
    return chosen


def _first_of_each(choices: Iterable[Choice]) -> list[Choice]:
    found: dict[int, Choice] = {}
    for choice in choices:
        found.setdefault(choice.seq, choice)
    return list(found.values())


def _regular(connection: Connection, turn: Turn, room_left: _Room, look: Look) -> list[Choice]:
    now, slots, lendable, _ = room_left
    if slots <= 0:
        return []
    ahead = room_left.ahead if lendable else 0
    webhooks, turn.cursor = look.webhooks, look.cursor
    if connection.dialect.name != "sqlite":
        turn.locked = recipients.lock(connection, webhooks)
        turn.is_locked_out = len(turn.locked) < len(webhooks)
        webhooks = {webhook: is_paused for webhook, is_paused in webhooks.items() if webhook in turn.locked}
    others_wait = bool(turn.cursor)  # more than one claim serves
    in_flight: dict[str, int] = {row[0]: row[1] for row in connection.execute(_IN_FLIGHT)} if webhooks else {}
    taken = {webhook: max(0, in_flight.get(webhook, 0) - turn.orphaned[webhook]) for webhook in webhooks}
    own = {webhook: max(0, GUARANTEED_IN_FLIGHT - count) for webhook, count in taken.items()}
    at_once = {webhook: max(0, BORROWED_IN_FLIGHT - count) for webhook, count in taken.items()}
    # What can be chosen at most: to read more, of each of 64, would take longer than to claim.
    beyond_own = 0 if others_wait else lendable + ahead
    room = {
        webhook: 1
        if is_paused
        else min(MAX_CLAIMS, own[webhook] + beyond_own, turn.most_in_flight(webhook, taken[webhook]) - taken[webhook])
        for webhook, is_paused in webhooks.items()
    }
    waiting = {
        webhook: [Choice(seq, is_probe=webhooks[webhook]) for seq in seqs]
        for webhook, seqs in due.oldest(connection, room, now=now).items()
    }
    turn.left_behind = any(
        room[webhook] <= len(waiting.get(webhook, ())) for webhook, is_paused in webhooks.items() if not is_paused
    )
    slow = {webhook for webhook in waiting if turn.paces.is_slow(webhook)}
    chosen = _fairly(waiting, slow, room_left._replace(ahead=ahead), own=own, at_once=at_once, others_wait=others_wait)
    turn.left_behind |= len(chosen) < sum(len(choices) for choices in waiting.values())
    if len(chosen) in (slots, MAX_CLAIMS):
        # Perhaps not all had their turn: the next claim goes on behind the last one that had.
        turn.cursor = next(webhook for webhook, choices in waiting.items() if chosen[-1] in choices)
    return chosen


def _fairly(
    waiting: Mapping[str, Sequence[Choice]],
    slow: Container[str],
    room: _Room,
    *,
    own: Mapping[str, int],
    at_once: Mapping[str, int],
    others_wait: bool,
) -> list[Choice]:
    """Of what waits for each webhook: first what each is guaranteed, then lent slots, last what goes into lanes."""
    quick = [webhook for webhook in waiting if webhook not in slow]
    guaranteed = _interleave([waiting[webhook][: own[webhook]] for webhook in quick])
    lent = [] if others_wait else _interleave([waiting[webhook][own[webhook] : at_once[webhook]] for webhook in quick])
    unhurried = _interleave([choices for webhook, choices in waiting.items() if webhook in slow])
    chosen = (guaranteed + (unhurried + lent)[: room.lendable])[: room.slots]
    if others_wait or len(chosen) == room.slots or len(unhurried) + len(lent) > room.lendable:
        return chosen
    beyond = _interleave([waiting[webhook][at_once[webhook] :] for webhook in quick])
    return chosen + beyond[: min(room.ahead, MAX_CLAIMS - len(chosen))]


def _interleave(columns: Sequence[Sequence[Choice]]) -> list[Choice]:
    """One of each in turn, until all are used up."""
    return [choice for choice in chain.from_iterable(zip_longest(*columns)) if choice is not None]
