"""Random sequences of all that can happen to deliveries, on real databases: the invariants hold after every step."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import pytest
import sqlalchemy as sa
from flask import Flask
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from tests.delivery import state_model
from tests.factories import Make
from webapp.delivery import claiming, disabling, health, leases, outbox, recording, replaying
from webapp.delivery import fan_out as fanning
from webapp.delivery.claiming import Claim, Turn
from webapp.delivery.heartbeats import beat
from webapp.delivery.outcomes import Outcome
from webapp.delivery.recording import Result
from webapp.extensions import db
from webapp.models import (
    Attempt,
    Conflict,
    Delivery,
    DeliveryKind,
    DeliveryState,
    ErrorWord,
    Event,
    NotFound,
    Redelivery,
    Replay,
    Role,
    TooMany,
    Webhook,
    WebhookHealth,
    WebhookHour,
    transaction,
    utc_now,
)
from webapp.webhooks import activation, cancellation, editing, pings, redelivery, releases, replays
from webapp.workspace import members

LEASE = timedelta(minutes=1)
WORKERS = ("one", "two", "three")
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
OUTCOMES = {
    "accepted": Outcome(status=200, total_ms=3.0),
    "broken": Outcome(status=500, total_ms=4.0),
    "busy": Outcome(status=429, retry_after=timedelta(seconds=9), total_ms=5.0),
    "redirect": Outcome(status=302, error=ErrorWord.REDIRECT_REFUSED, sentence="No.", total_ms=6.0),
    "timed out": Outcome(error=ErrorWord.TIMED_OUT, sentence="No.", total_ms=7.0),
    "gone": Outcome(status=410, total_ms=8.0),
}
outcomes = st.sampled_from([*["accepted", "broken"] * 4, *OUTCOMES])
places = st.integers(0, 9)  # which of several, counted round


class Happenings(RuleBasedStateMachine):
    """Three workers, two webhooks of one person, and everything that people and the network do to them."""

    scene: ClassVar[Any]

    @initialize()
    def begin(self) -> None:
        make, self.owner, self.boss, self.project = self.scene
        members.change_role(self.project, self.owner.id, Role.ADMIN, by=self.boss)
        self.webhook_ids = [make.webhook(by=self.owner, url=f"https://example.com/{number}").id for number in range(2)]
        self.turns = {name: Turn(worker=name) for name in WORKERS}
        self.claims: list[Claim] = []  # in the hands of a worker
        self.lost: list[Claim] = []  # their worker stands still, and may come back
        self.expected: set[tuple[int, str]] = set()
        self.failures = dict.fromkeys(self.webhook_ids, 0)
        self.rows = state_model.look()

    def teardown(self) -> None:
        db.session.rollback()
        with transaction() as session:
            for table in (Attempt, Redelivery, Replay, Delivery, Event, WebhookHour):
                session.execute(sa.delete(table))
            session.execute(sa.update(Webhook).values(deleted_at=utc_now(), enabled=False))

    def done(self, action: str) -> None:
        after = state_model.look()
        state_model.check(self.rows, after, action)
        self.rows = after
        found = {(row.event_seq, row.webhook_id) for row in after.values() if row.kind == DeliveryKind.EVENT}
        assert found == self.expected
        counted = db.session.execute(
            sa.select(WebhookHealth.webhook_id, WebhookHealth.failures_in_a_row).where(
                WebhookHealth.webhook_id.in_(self.webhook_ids)
            )
        )
        assert {row.webhook_id: row.failures_in_a_row for row in counted} == self.failures

    def webhook(self, place: int) -> Webhook:
        return db.session.get_one(Webhook, self.webhook_ids[place % 2])

    # What happens in a project, and what the workers do.

    @rule(count=st.integers(1, 3), is_fanned_out=st.sampled_from([True, True, False]))
    def publish(self, count: int, is_fanned_out: bool) -> None:
        with transaction():
            for _ in range(count):
                outbox.publish("TODO_CREATED", project=self.project, by=self.owner, current={"id": "c"}, record_id="c")
        self.done("publish")
        if is_fanned_out:
            self.fan_out()

    def fan_out(self) -> None:
        events = state_model.waiting_events()
        role = members.load(self.project, self.owner.id).role
        wanting = [one for one in self.webhook_ids if db.session.get_one(Webhook, one).deleted_at is None]
        fanning.fan_out()
        if role is Role.ADMIN:
            self.expected |= {(event, webhook) for event in events for webhook in wanting}
        self.done("fan_out")

    @rule(worker=st.sampled_from(WORKERS), slots=st.integers(1, 6))
    def claim(self, worker: str, slots: int) -> None:
        self.take(worker, slots)
        self.done("claim")

    @rule(worker=st.sampled_from(WORKERS), outcome=outcomes)
    def claim_and_record(self, worker: str, outcome: str) -> None:
        claims = self.take(worker, 3)
        self.done("claim")
        self.claims = [claim for claim in self.claims if claim not in claims]
        self.write([self.result(claim, outcome) for claim in claims], is_twice=False)

    def take(self, worker: str, slots: int) -> list[Claim]:
        paused = set(
            db.session.scalars(sa.select(WebhookHealth.webhook_id).where(WebhookHealth.paused_at.is_not(None)))
        )
        before = state_model.look()
        claims = claiming.claim(self.turns[worker], slots=slots, lease=LEASE)
        assert len({claim.seq for claim in claims}) == len(claims) <= slots
        probes = [claim.delivery.webhook_id for claim in claims if claim.is_probe]
        assert len(set(probes)) == len(probes)
        for claim in claims:
            was = before[claim.seq]
            assert was.lease_until is None
            assert was.deleted_at is None
            assert claim.token == was.claim_token + 1
            if claim.delivery.kind is DeliveryKind.EVENT:
                assert was.enabled
                assert claim.redelivery_seq is not None or was.state == "pending"
                assert claim.redelivery_seq is not None or claim.is_probe is (was.webhook_id in paused)
        self.claims += claims
        return claims

    @precondition(lambda self: self.claims)
    @rule(place=places, count=st.integers(1, 4), outcome=outcomes, is_twice=st.booleans())
    def record(self, place: int, count: int, outcome: str, is_twice: bool) -> None:
        """Some of what was claimed ends, all alike; perhaps their outcomes are written twice."""
        begin = place % len(self.claims)
        ended = self.claims[begin : begin + count]
        self.claims = [claim for claim in self.claims if claim not in ended]
        self.write([self.result(claim, outcome) for claim in ended], is_twice=is_twice)

    @precondition(lambda self: self.lost)
    @rule(place=places, outcome=outcomes)
    def record_late(self, place: int, outcome: str) -> None:
        """A worker that stood still wakes up, whoever owns the delivery now."""
        claim = self.lost.pop(place % len(self.lost))
        self.write([self.result(claim, outcome)], is_twice=False)

    def result(self, claim: Claim, outcome: str) -> Result:
        return Result(claim, OUTCOMES[outcome], claim.recipient.url, "0" * 64, utc_now(), utc_now())

    def write(self, results: list[Result], *, is_twice: bool) -> None:
        counted = self.counted_after(results)
        consequences = recording.record(results)
        disabling.draw(consequences)
        if is_twice:
            disabling.draw(recording.record(results))
        self.done("record")
        assert {seq: self.rows[seq].attempts_counted for seq in counted} == counted

    def counted_after(self, results: list[Result]) -> dict[int, int]:
        """The attempts that count for the schedule once these are recorded; notes what counts for health."""
        counted = {}
        for result in results:
            claim, row = result.claim, self.rows[result.claim.seq]
            counted[claim.seq] = row.attempts_counted
            if row.claim_token != claim.token:
                continue  # late
            is_by_hand = claim.redelivery_seq is not None
            if result.outcome.is_success:
                self.failures[row.webhook_id] = 0
            elif row.kind == DeliveryKind.EVENT and not is_by_hand:
                self.failures[row.webhook_id] += 1
            is_on_schedule = row.kind != DeliveryKind.EVENT or not is_by_hand
            if not result.outcome.is_success and row.state == DeliveryState.PENDING and is_on_schedule:
                counted[claim.seq] += 1
        return counted

    @precondition(lambda self: self.claims)
    @rule(place=places)
    def give_back(self, place: int) -> None:
        leases.give_back([self.claims.pop(place % len(self.claims))])
        self.done("give_back")

    @precondition(lambda self: self.lost)
    @rule(place=places)
    def give_back_late(self, place: int) -> None:
        """It stood in the queue of a worker that stood still."""
        leases.give_back([self.lost.pop(place % len(self.lost))])
        self.done("give_back")

    @precondition(lambda self: self.claims)
    @rule(may_come_back=st.booleans())
    def expire(self, may_come_back: bool) -> None:
        """All workers die, or stand still, longer than their leases."""
        with transaction() as session:
            session.execute(
                sa.update(Delivery)
                .where(Delivery.lease_until.is_not(None))
                .values(lease_until=utc_now() - timedelta(seconds=1))
            )
        leases.expire()
        if may_come_back:
            self.lost += self.claims
        self.claims = []
        for turn in self.turns.values():
            turn.is_suspect_in_flight = False
        self.done("expire")

    @rule()
    def time_passes(self) -> None:
        """Everything that waits for its time is due."""
        now = utc_now()
        with transaction() as session:
            session.execute(sa.update(Delivery).where(Delivery.next_attempt_at > now).values(next_attempt_at=now))
            session.execute(sa.update(WebhookHealth).where(WebhookHealth.probe_at > now).values(probe_at=now))
            session.execute(
                sa.update(Redelivery).values(requested_at=Redelivery.requested_at - sa.literal(timedelta(minutes=2)))
                if db.engine.dialect.name == "postgresql"
                else sa.update(Redelivery).values(requested_at=LONG_AGO)
            )
        self.done("time")

    # What people do.

    @precondition(lambda self: self.rows)
    @rule(place=st.integers(0, 99), what=st.sampled_from(["redeliver", "redeliver", "cancel"]))
    def ask(self, place: int, what: str) -> None:
        """About one delivery, perhaps one of which it cannot be asked."""
        seqs = sorted(self.rows)
        delivery = db.session.get_one(Delivery, seqs[place % len(seqs)])
        act = {"redeliver": redelivery.redeliver, "cancel": cancellation.cancel}[what]
        with suppress(Conflict, NotFound, TooMany):
            act(delivery, by=self.owner)
        self.done(what)

    @rule(place=places)
    def disable(self, place: int) -> None:
        with suppress(NotFound):
            activation.disable(self.webhook(place), by=self.owner)
        self.done("disable")

    @rule(place=places, outcome=st.sampled_from([*["accepted"] * 4, "broken", "silent"]))
    def enable(self, place: int, outcome: str) -> None:
        webhook = self.webhook(place)
        was_enabled = webhook.enabled
        beat("one", threads=1)
        wait = activation._wait
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(activation, "WAIT", timedelta(seconds=0 if outcome == "silent" else 7))
            patch.setattr(activation, "_wait", lambda seq, name: self.check_health(seq, outcome) or wait(seq, name))
            with suppress(NotFound):
                activation.enable(webhook, by=self.owner)
        db.session.rollback()
        if not was_enabled and webhook.enabled:
            self.failures[webhook.id] = 0
        self.done("enable")

    def check_health(self, seq: int, outcome: str) -> None:
        """A worker claims it, with whatever else is due, and sends it."""
        if outcome == "silent":
            return
        claims = self.take("one", 10) + self.take("one", 10)  # a suspect may have its turn first, and goes alone
        self.rows = state_model.look()
        (check,) = [claim for claim in claims if claim.seq == seq]
        self.claims.remove(check)
        result = self.result(check, outcome)
        self.counted_after([result])
        disabling.draw(recording.record([result]))

    @rule(place=places, mode=st.sampled_from(releases.Mode))
    def release(self, place: int, mode: releases.Mode) -> None:
        with suppress(Conflict, NotFound):
            releases.release(self.webhook(place), mode, by=self.owner)
        self.done("release")

    @rule(place=places, states=st.sets(st.sampled_from(replays.STATES), min_size=1), is_stopped=st.booleans())
    def replay(self, place: int, states: set[DeliveryState], is_stopped: bool) -> None:
        webhook = self.webhook(place)
        with suppress(Conflict, NotFound):
            replays.start(webhook, replays.Chosen(since=LONG_AGO, states=tuple(states)), by=self.owner)
        self.done("replay")
        replaying.advance()
        self.done("advance")
        running = replays.running(webhook)
        if running is not None and is_stopped:
            with suppress(NotFound):
                replays.stop(running, by=self.owner)
            self.done("stop")

    @rule()
    def advance(self) -> None:
        replaying.advance()
        self.done("advance")

    @rule(place=places, what=st.sampled_from(["ping", "ping", "ping", "delete", "lose", "regain", "regain"]))
    def rarely(self, place: int, what: str) -> None:
        acts: dict[str, Callable[[], object]] = {
            "ping": lambda: pings.ping(self.webhook(place), by=self.owner),
            "delete": lambda: editing.delete(self.webhook(place), by=self.owner),
            "lose": lambda: members.change_role(self.project, self.owner.id, Role.MEMBER, by=self.boss),
            "regain": lambda: members.change_role(self.project, self.owner.id, Role.ADMIN, by=self.boss),
        }
        with suppress(NotFound, TooMany):
            acts[what]()
        self.done(what)


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    """Three attempts, so that the end of the schedule is near."""
    return make_app(retry_schedule="0,1h,1h")


@pytest.fixture
def _soon_disabled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "PAUSE_AFTER_FAILURES", 3)
    monkeypatch.setattr(health, "DISABLE_AFTER_FAILURES", 6)
    monkeypatch.setattr(health, "DISABLE_AFTER", timedelta(0))
    monkeypatch.setattr(health, "WARN_AFTER_FAILURES", 4)
    monkeypatch.setattr(health, "WARN_AFTER", timedelta(0))


def run(make: Make, *, sequences: int, steps: int) -> None:
    owner, boss = make.user(), make.user()
    project = make.project(owner=boss)
    make.member(project, owner, Role.ADMIN)
    Happenings.scene = (make, owner, boss, project)
    run_state_machine_as_test(
        Happenings,
        settings=settings(
            max_examples=sequences,
            stateful_step_count=steps,
            deadline=None,
            database=None,
            phases=[Phase.generate],  # shortening a sequence takes minutes; it is printed as it was
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.proves("A76")
@pytest.mark.usefixtures("_soon_disabled")
def test_the_invariants_hold_after_every_step(make: Make) -> None:
    run(make, sequences=15, steps=30)


@pytest.mark.soak
@pytest.mark.timeout(7200)
@pytest.mark.proves("A76")
@pytest.mark.usefixtures("_soon_disabled")
def test_the_invariants_hold_in_ten_thousand_sequences(make: Make) -> None:
    run(make, sequences=10_000, steps=30)
