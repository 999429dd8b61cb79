"""A recorder in a thread of its own writes, tells, tries again, and ends when nothing is left."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.exc import OperationalError

from tests.factories import Make
from tests.receiver import Receiver
from webapp.delivery import claiming, recorder, recording
from webapp.delivery.attempting import attempt
from webapp.delivery.claiming import Turn
from webapp.delivery.recorder_thread import RecorderThread
from webapp.delivery.recording import Result
from webapp.delivery.sending import Sender
from webapp.extensions import db
from webapp.models import Delivery, DeliveryState

IN_HAND = 8
SOON_S = 10.0

Told = queue.SimpleQueue[list[Result]]


@pytest.fixture
def results(app: Flask, make: Make, receiver: Receiver) -> list[Result]:
    webhook = make.webhook(url=receiver.url)
    for _ in range(IN_HAND):
        make.delivery(webhook)
    sender = Sender.from_settings(app.extensions["settings"])
    ended = [
        attempt(claim, sender) for claim in claiming.claim(Turn("test"), slots=IN_HAND, lease=timedelta(minutes=1))
    ]
    sender.close()
    return ended


@pytest.fixture
def told() -> Told:
    return queue.SimpleQueue()


@pytest.fixture
def thread(app: Flask, told: Told) -> Iterator[RecorderThread]:
    thread = RecorderThread(app, in_hand=lambda: IN_HAND, tell=told.put)
    thread.start()
    yield thread
    thread.stop()
    assert not thread.is_alive


def states() -> set[DeliveryState]:
    db.session.rollback()
    return set(db.session.scalars(sa.select(Delivery.state)))


def test_what_is_put_is_written_and_then_told(thread: RecorderThread, told: Told, results: list[Result]) -> None:
    for result in results:
        thread.put(result)
    done: list[Result] = []
    while len(done) < len(results):
        done += told.get(timeout=SOON_S)
    assert done == results
    assert states() == {DeliveryState.SUCCEEDED}


def test_one_that_comes_alone_waits_for_no_company(thread: RecorderThread, told: Told, results: list[Result]) -> None:
    thread.put(results[0])
    assert told.get(timeout=SOON_S) == results[:1]


def test_stopping_waits_until_all_is_written(app: Flask, told: Told, results: list[Result]) -> None:
    thread = RecorderThread(app, in_hand=lambda: IN_HAND, tell=told.put)
    for result in results:
        thread.put(result)
    thread.start()
    thread.stop()
    assert states() == {DeliveryState.SUCCEEDED}


def test_it_says_that_it_is_behind_while_the_database_refuses_and_then_writes(
    thread: RecorderThread, told: Told, results: list[Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder, "BEHIND_AFTER_S", 0.0)
    monkeypatch.setattr(recorder, "PAUSE_S", 0.01)
    refused: Told = queue.SimpleQueue()
    write = recording.record

    def refuse(batch: list[Result]) -> Any:
        refused.put(batch)
        raise OperationalError("UPDATE", {}, Exception("the server is gone"))

    with monkeypatch.context() as patched:
        patched.setattr(recording, "record", refuse)
        thread.put(results[0])
        for _ in range(2):
            assert refused.get(timeout=SOON_S) == results[:1]
        assert thread.is_behind
        assert told.empty()
        patched.setattr(recording, "record", write)
        assert told.get(timeout=SOON_S) == results[:1]
    assert not thread.is_behind
    assert states() == {DeliveryState.SUCCEEDED, DeliveryState.PENDING}


def test_an_error_in_what_follows_from_outcomes_does_not_end_it(
    thread: RecorderThread,
    told: Told,
    results: list[Result],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    failed: queue.SimpleQueue[None] = queue.SimpleQueue()

    def fail(_: Any) -> None:
        failed.put(None)
        raise OperationalError("SELECT", {}, Exception("the server is gone"))

    with monkeypatch.context() as patched:
        patched.setattr("webapp.delivery.recorder_thread.TEND_EVERY_S", 0.01)
        patched.setattr(recorder.Recorder, "draw_proven", fail)
        failed.get(timeout=SOON_S)
        failed.get(timeout=SOON_S)
    assert "what followed from outcomes failed" in caplog.text
    thread.put(results[0])
    assert told.get(timeout=SOON_S) == results[:1]
