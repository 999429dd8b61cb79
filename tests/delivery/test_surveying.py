"""The state of an installation, asked of either database."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask

from tests.factories import Make
from webapp.delivery import heartbeats, pruning, surveying
from webapp.extensions import bell, huey
from webapp.models import DeliveryState, utc_now


def test_an_empty_installation_has_nothing_that_waits(app: Flask) -> None:
    survey = surveying.survey()
    assert survey.workers == ()
    assert (survey.events_waiting.number, survey.oldest_event_at, survey.oldest_due_at) == (0, None, None)
    assert {count.number for count in survey.states.values()} == {0}
    assert (survey.speed.per_second, survey.speed.p50_ms) == (0, None)
    assert survey.database.kind in {"SQLite", "PostgreSQL"}
    assert survey.database.version[0].isdigit()
    assert survey.database.size > 10_000
    assert 0 < survey.disk_free <= survey.disk_size


def test_workers_are_named_with_what_they_said(app: Flask) -> None:
    heartbeats.beat("here:7", threads=9)
    (beat,) = surveying.survey().workers
    assert (beat.name, beat.threads) == ("here:7", 9)
    assert not beat.is_silent(surveying.survey().now)


def test_deliveries_are_counted_by_state_and_no_further_than_needed(
    app: Flask, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(surveying, "COUNTED_TO", 3)
    webhook, other = make.webhook(), make.webhook()
    for _ in range(3):
        make.delivery(webhook, state=DeliveryState.FAILED, next_attempt_at=None)
    for _ in range(2):
        make.delivery(webhook, state=DeliveryState.SUCCEEDED, next_attempt_at=None)
        make.delivery(other, state=DeliveryState.SUCCEEDED, next_attempt_at=None)
    states = surveying.survey().states
    assert (states["failed"].number, states["failed"].is_more) == (3, False)
    assert (states["succeeded"].number, states["succeeded"].is_more) == (3, True)
    assert states["stuck"].number == 0


def test_what_waits_is_told_with_its_age(app: Flask, make: Make) -> None:
    then = utc_now() - timedelta(seconds=70)
    make.delivery(next_attempt_at=then)
    make.event(created_at=then, fanned_out_at=None)
    survey = surveying.survey()
    assert survey.oldest_due_at == then
    assert survey.oldest_event_at == then
    assert survey.events_waiting.number >= 1


def test_speed_is_taken_from_the_last_minutes(app: Flask, make: Make) -> None:
    delivery = make.delivery()
    now = utc_now()
    for seconds, took in ((600, 9000.0), (120, 300.0), (30, 200.0), (20, 100.0)):
        at = now - timedelta(seconds=seconds)
        make.attempt(delivery, claimed_at=at, started_at=at, finished_at=at, total_ms=took)
    speed = surveying.survey().speed
    assert speed.per_second == pytest.approx(2 / 60)
    assert (speed.p50_ms, speed.p95_ms) == (200.0, 300.0)


def test_in_a_busy_minute_the_rate_is_that_of_the_newest_attempts(
    app: Flask, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(surveying, "NEWEST_ATTEMPTS", 4)
    delivery = make.delivery()
    now = utc_now()
    for seconds in (10, 8, 6, 4, 2):
        at = now - timedelta(seconds=seconds)
        make.attempt(delivery, claimed_at=at, started_at=at, finished_at=at, total_ms=1.0)
    assert surveying.survey().speed.per_second == pytest.approx(4 / 8, rel=0.3)


def test_pruning_is_remembered(app: Flask) -> None:
    assert surveying.survey().pruned_at is None
    for _ in range(2):
        pruning.prune(pause=lambda _: None)
    pruned_at = surveying.survey().pruned_at
    assert pruned_at is not None
    assert utc_now() - pruned_at < timedelta(minutes=1)


def test_a_queue_that_is_away_is_said_and_not_raised(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> int:
        raise ConnectionError("no queue")

    assert surveying.survey().queue.waiting == 0
    monkeypatch.setattr(huey.storage, "queue_size", away)
    monkeypatch.setattr(bell, "lost", 2)
    queue = surveying.survey().queue
    assert (queue.waiting, queue.lost) == (None, 2)
