"""Attempts of events are counted once each, hour by hour, whatever happens to their workers."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.factories import Make
from webapp.delivery import counting, leases, pruning, recording, totalling
from webapp.delivery.claiming import Turn, claim
from webapp.delivery.claims import Claim
from webapp.delivery.latencies import bucket
from webapp.delivery.outcomes import Outcome
from webapp.delivery.recording import Result
from webapp.extensions import db
from webapp.models import Attempt, Delivery, ErrorWord, Redelivery, Webhook, WebhookHour, transaction, utc_now

LEASE = timedelta(seconds=60)
OUTCOMES = {
    "2xx": Outcome(status=204, total_ms=140.0),
    "500": Outcome(status=500, total_ms=9.0),
    "timed_out": Outcome(error=ErrorWord.TIMED_OUT, total_ms=20_000.0),
    "redirect_refused": Outcome(status=302, error=ErrorWord.REDIRECT_REFUSED),
}


@pytest.fixture
def webhook(app: Flask, make: Make) -> Webhook:
    return make.webhook()


def take(lease: timedelta = LEASE) -> list[Claim]:
    claims = claim(Turn(worker="test:1"), slots=200, lease=lease)
    db.session.rollback()
    return claims


def end(one: Claim, word: str = "2xx") -> None:
    now = utc_now()
    recording.record([Result(one, OUTCOMES[word], "https://example.com", "0" * 64, now, now)])
    db.session.rollback()


def due_again(delivery: Delivery) -> None:
    with transaction():
        delivery.next_attempt_at = utc_now()


def counted() -> Counter[str]:
    own = WebhookHour.webhook_id != totalling.EVERY_WEBHOOK
    rows = db.session.execute(sa.select(WebhookHour.outcome, WebhookHour.attempts).where(own))
    return +sum((Counter({row.outcome: row.attempts}) for row in rows), Counter[str]())


def deliveries() -> int:
    return db.session.scalar(sa.select(sa.func.sum(WebhookHour.deliveries))) or 0


def attempted() -> Counter[str]:
    """What the attempts' rows say, of all that no worker owns any more."""
    query = (
        sa.select(Attempt.status, Attempt.error)
        .join(Attempt.delivery)
        .where(
            sa.or_(
                Attempt.finished_at.is_not(None),
                Delivery.lease_until.is_(None),
                Attempt.claim_token != Delivery.claim_token,
            )
        )
    )
    return Counter(counting.outcome_of(row.status, row.error) for row in db.session.execute(query))


def test_an_outcome_is_counted_with_its_hour_and_its_latency(make: Make, webhook: Webhook) -> None:
    make.delivery(webhook)
    (one,) = take()
    end(one)
    row = db.session.scalars(sa.select(WebhookHour)).one()
    assert (row.webhook_id, row.outcome, row.bucket) == (webhook.id, "2xx", bucket(140.0))
    assert (row.attempts, row.deliveries) == (1, 1)
    assert row.hour_at == one.claimed_at.replace(minute=0, second=0, microsecond=0)
    assert row.first_at == row.last_at == one.claimed_at


def test_a_result_that_comes_twice_counts_once(make: Make, webhook: Webhook) -> None:
    make.delivery(webhook)
    (one,) = take()
    end(one)
    end(one, "500")
    assert counted() == {"2xx": 1}


def test_attempts_of_one_delivery_are_one_delivery(make: Make, webhook: Webhook) -> None:
    delivery = make.delivery(webhook)
    for word in ("500", "timed_out", "2xx"):
        due_again(delivery)
        end(take()[0], word)
    assert counted() == {"500": 1, "timed_out": 1, "2xx": 1}
    assert deliveries() == 1


@pytest.mark.parametrize("kind", ["ping", "test", "health_check"])
def test_what_people_try_out_is_not_counted(make: Make, webhook: Webhook, kind: str) -> None:
    make.delivery(webhook, kind=kind)
    end(take()[0], "500")
    make.delivery(webhook, kind=kind)
    take(timedelta(seconds=-1))
    assert leases.expire() == 1
    assert counted() == {}


def test_a_redelivery_counts_as_any_attempt(make: Make, webhook: Webhook) -> None:
    delivery = make.delivery(webhook, state="failed")
    with transaction() as session:
        session.add(Redelivery(delivery_seq=delivery.seq))
    end(take()[0])
    assert counted() == {"2xx": 1}


def test_what_was_given_back_is_not_counted(make: Make, webhook: Webhook) -> None:
    make.delivery(webhook)
    leases.give_back(take())
    assert counted() == {}


def test_a_lost_attempt_is_unknown_until_its_outcome_comes_after_all(make: Make, webhook: Webhook) -> None:
    make.delivery(webhook)
    (one,) = take(timedelta(seconds=-1))
    leases.expire()
    assert counted() == {"unknown": 1}
    end(one)
    assert counted() == {"2xx": 1}
    assert deliveries() == 1


def test_a_late_outcome_is_counted_beside_that_of_the_next_worker(make: Make, webhook: Webhook) -> None:
    make.delivery(webhook)
    (late,) = take(timedelta(seconds=-1))
    leases.expire()
    (now,) = take()
    end(late, "500")
    end(now)
    assert counted() == {"500": 1, "2xx": 1}
    assert deliveries() == 1


STEPS = st.lists(
    st.tuples(st.sampled_from(["claim", "end", "lose", "give back", "again"]), st.sampled_from(sorted(OUTCOMES))),
    max_size=25,
)


@given(STEPS)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_counts_are_those_of_the_attempts_whatever_happens(make: Make, app: Flask, steps: list[Any]) -> None:
    with transaction() as session:
        session.execute(sa.delete(WebhookHour))
        session.execute(sa.delete(Delivery))
    webhook = make.webhook()
    rows = [make.delivery(webhook) for _ in range(2)]
    claims: list[Claim] = []
    for step, word in steps:
        if step == "claim":
            claims += take()
        elif step == "end" and claims:
            end(claims.pop(len(word) % len(claims)), word)
        elif step == "lose":
            with transaction() as session:
                gone = utc_now() - LEASE
                session.execute(sa.update(Delivery).where(Delivery.lease_until.is_not(None)).values(lease_until=gone))
            leases.expire()
        elif step == "give back" and claims:
            leases.give_back([claims.pop()])
        elif step == "again":
            due_again(rows[len(word) % 2])
        db.session.rollback()
        assert counted() == attempted()
    assert deliveries() <= len(rows)


def test_a_batch_counts_alike_ones_together(make: Make, webhook: Webhook) -> None:
    for _ in range(3):
        make.delivery(webhook)
    results = []
    now = utc_now()
    for place, one in enumerate(take()):
        at = datetime(2026, 11, 25, 10, place * 29, tzinfo=UTC)
        outcome = OUTCOMES["2xx"]
        results.append(Result(one._replace(claimed_at=at), outcome, "https://example.com", "0" * 64, now, now))
    recording.record(results)
    row = db.session.scalars(sa.select(WebhookHour)).one()
    assert (row.attempts, row.deliveries) == (3, 3)
    assert (row.first_at.minute, row.last_at.minute) == (0, 58)


def test_workers_that_count_the_same_hours_never_wait_in_a_ring(app: Flask, make: Make) -> None:
    now, rounds, failures = utc_now(), 25, []

    def work(keys: list[str]) -> None:
        try:
            with app.app_context():
                for _ in range(rounds):
                    ended = [counting.Counted(key, now, is_first=True, outcome="2xx", bucket=1) for key in keys]
                    with transaction() as session:
                        counting.count(session.connection(), ended)
        except Exception as error:
            failures.append(error)

    keys = [f"webhook-{number}" for number in range(8)]
    threads = [threading.Thread(target=work, args=(order,)) for order in (keys, keys[::-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert failures == []
    assert counted() == {"2xx": 2 * rounds * len(keys)}


def test_a_past_that_was_written_as_rows_is_counted_at_once(make: Make, webhook: Webhook) -> None:
    delivery = make.delivery(webhook, state="succeeded")
    make.attempt(delivery, status=500)
    make.attempt(delivery)
    make.attempt(make.delivery(webhook, kind="ping"))
    with transaction() as session:
        session.execute(sa.delete(WebhookHour))
        counting.count_past(session.connection())
    assert counted() == {"500": 1, "2xx": 1}


def test_hours_go_with_the_retention(make: Make, webhook: Webhook) -> None:
    for days in (29, 31):
        at = utc_now() - timedelta(days=days)
        one = counting.Counted(webhook.id, at, is_first=True, outcome="2xx", bucket=1)
        with transaction() as session:
            counting.count(session.connection(), [one])
    assert pruning.prune(pause=lambda _: None)["webhook hours"] == 1
    assert counted() == {"2xx": 1}
