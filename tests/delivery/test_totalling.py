"""Totals only grow: neither pruning nor two workers at once take from them or add twice."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from webapp.delivery import counting, pruning, totalling
from webapp.delivery.counting import Counted, hour_of
from webapp.extensions import db
from webapp.models import WebhookHour, transaction, utc_now


def count(at: datetime, outcome: str = "2xx", bucket: int = 7, times: int = 1) -> None:
    with transaction() as session:
        one = Counted("w1", at, is_first=True, outcome=outcome, bucket=bucket)
        counting.count(session.connection(), [one] * times)


@pytest.fixture
def month(app: Flask) -> Counter[tuple[str, int]]:
    """Five weeks of one webhook: an attempt each day, and a failure each week."""
    now = utc_now()
    for day in range(35):
        count(now - timedelta(days=day))
        if day % 7 == 0:
            count(now - timedelta(days=day), "503", -1, times=2)
    return Counter({("2xx", 7): 35, ("503", -1): 10})


def test_without_any_attempt_there_is_nothing(app: Flask) -> None:
    assert totalling.totals() == {}
    totalling.fold()
    assert totalling.totals() == {}


def test_they_are_the_same_before_and_after_hours_are_added_to_them(month: Counter[tuple[str, int]]) -> None:
    assert totalling.totals() == month
    for _ in range(2):
        totalling.fold()
        assert totalling.totals() == month


def test_pruning_takes_nothing_from_them(month: Counter[tuple[str, int]]) -> None:
    deleted = pruning.prune(pause=lambda _: None)
    assert deleted["webhook hours"] > 0
    assert totalling.totals() == month
    assert pruning.prune(pause=lambda _: None)["webhook hours"] == 0
    assert totalling.totals() == month


def test_what_comes_later_is_added(month: Counter[tuple[str, int]]) -> None:
    totalling.fold()
    count(utc_now())
    count(utc_now(), "timed_out", 55)
    assert totalling.totals() == month + Counter({("2xx", 7): 1, ("timed_out", 55): 1})


def test_hours_that_may_still_change_are_not_added_yet(app: Flask) -> None:
    count(utc_now() - timedelta(hours=1), counting.UNKNOWN, -1)
    totalling.fold()
    with transaction() as session:
        session.execute(sa.update(WebhookHour).values(outcome="2xx", bucket=3))
    assert totalling.totals() == {("2xx", 3): 1}


def test_the_shortest_retention_leaves_no_gap(app: Flask) -> None:
    app.extensions["settings"].retention_days = 1
    now = utc_now()
    for hours in range(72):
        count(hour_of(now) - timedelta(hours=hours))
    pruning.prune(pause=lambda _: None)
    assert totalling.totals() == {("2xx", 7): 72}


def test_two_at_once_add_each_hour_once(app: Flask, month: Counter[tuple[str, int]]) -> None:
    def fold() -> None:
        with app.app_context():
            totalling.fold()
            db.session.remove()

    both = [threading.Thread(target=fold) for _ in range(2)]
    for each in both:
        each.start()
    for each in both:
        each.join()
    db.session.rollback()
    assert totalling.totals() == month
