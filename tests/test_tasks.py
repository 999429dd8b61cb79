"""Tasks are one call each: that they call, when, and that the bell is heard meanwhile."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask, current_app

from tests.factories import Make
from tests.receiver import wait_until
from webapp import tasks
from webapp.delivery import dispatching
from webapp.extensions import db, huey
from webapp.models import Event, utc_now

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def minutes_of(task: object) -> list[int]:
    """The minutes of an hour at which a periodic task runs."""
    due = [NOON + timedelta(minutes=minute) for minute in range(60)]
    return [at.minute for at in due if task.task_class(None).validate_datetime(at)]  # type: ignore[attr-defined]


def aside() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("aside: ")]


def test_the_bell_wakes_the_dispatcher(monkeypatch: pytest.MonkeyPatch, app: Flask) -> None:
    woken: list[bool] = []
    monkeypatch.setattr(dispatching, "wake", lambda: woken.append(True))

    tasks.deliver_due.call_local()

    assert woken == [True]


def test_pruning_runs_once_an_hour_beside_the_bell(app: Flask, make: Make) -> None:
    make.event(created_at=utc_now() - timedelta(days=31), fanned_out_at=utc_now())

    tasks.prune.call_local()

    wait_until(lambda: not aside())
    db.session.rollback()
    assert db.session.query(Event).count() == 0
    assert minutes_of(tasks.prune) == [17]


def test_pruning_wipes_old_secrets_whose_overlap_is_over(app: Flask, make: Make) -> None:
    webhook = make.webhook(previous_secret_ciphertext="old", previous_secret_until=utc_now() - timedelta(seconds=1))

    tasks.prune.call_local()

    wait_until(lambda: not aside())
    db.session.refresh(webhook)
    assert webhook.previous_secret_ciphertext is None


def test_mail_goes_out_each_minute_beside_the_bell(app: Flask) -> None:
    tasks.mail.call_local()

    wait_until(lambda: not aside())
    assert minutes_of(tasks.mail) == list(range(60))


def test_what_is_set_aside_runs_once_at_a_time_in_the_application(app: Flask) -> None:
    seen: list[str] = []
    go_on = threading.Event()

    def slow() -> None:
        seen.append(current_app.name)
        go_on.wait(5)

    huey.set_aside(slow)
    huey.set_aside(slow)
    assert len(aside()) == 1
    go_on.set()
    wait_until(lambda: not aside())
    huey.set_aside(slow)
    wait_until(lambda: not aside())

    assert seen == ["webapp", "webapp"]


def test_what_fails_aside_is_logged(app: Flask, caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> None:
        raise LookupError("disk full")

    huey.set_aside(fail)
    wait_until(lambda: not aside())

    assert "disk full" in caplog.text
