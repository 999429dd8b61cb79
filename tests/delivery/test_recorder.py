"""Outcomes are gathered, written in batches, tried again while the database refuses, and given up in the end."""

from __future__ import annotations

import time
from collections.abc import Sequence
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
from webapp.delivery.recorder import Recorder
from webapp.delivery.recording import Result
from webapp.delivery.sending import Sender
from webapp.delivery.tallying import Consequence
from webapp.extensions import db
from webapp.models import Delivery, DeliveryState


@pytest.fixture
def result(app: Flask, make: Make, receiver: Receiver) -> Result:
    make.delivery(make.webhook(url=receiver.url))
    (claim,) = claiming.claim(Turn("test"), slots=1, lease=timedelta(minutes=1))
    sender = Sender.from_settings(app.extensions["settings"])
    ended = attempt(claim, sender)
    sender.close()
    return ended


def state() -> DeliveryState:
    db.session.rollback()
    return db.session.scalars(sa.select(Delivery.state)).one()


def refuse(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: Any) -> None:
        raise OperationalError("UPDATE", {}, Exception("disk is full"))

    monkeypatch.setattr(recording, "record", fail)


def test_the_only_outcome_that_is_awaited_is_due_at_once_and_one_of_several_lingers(result: Result) -> None:
    waiting = Recorder()
    assert not waiting.is_due(1)
    waiting.add(result)
    assert waiting.is_due(1)
    assert waiting.due_at > time.monotonic() - recorder.LINGER_S
    assert waiting.record() == [result]
    assert state() is DeliveryState.SUCCEEDED
    assert not waiting.is_due(1)


def test_outcomes_are_kept_while_the_database_refuses(result: Result, monkeypatch: pytest.MonkeyPatch) -> None:
    waiting = Recorder()
    waiting.add(result)
    with monkeypatch.context() as patched:
        refuse(patched)
        assert waiting.record() == []
        assert not waiting.is_due(1)
    assert state() is DeliveryState.PENDING
    assert waiting.record() == [result]
    assert state() is DeliveryState.SUCCEEDED


def test_while_it_has_refused_for_half_a_second_nothing_should_be_sent(
    result: Result, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder, "BEHIND_AFTER_S", 0.0)
    waiting = Recorder()
    waiting.add(result)
    with monkeypatch.context() as patched:
        refuse(patched)
        waiting.record()
    assert waiting.is_behind
    waiting.record()
    assert not waiting.is_behind


def test_what_could_not_be_written_for_long_is_given_up_and_said(
    result: Result, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(recorder, "KEEP_TRYING_FOR_S", 0.0)
    waiting = Recorder()
    waiting.add(result)
    refuse(monkeypatch)
    assert waiting.record() == [result]
    assert "could not be recorded" in caplog.text
    assert state() is DeliveryState.PENDING


def test_it_is_worth_waking_for_the_first_outcome_and_then_for_a_batch(
    result: Result, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting = Recorder()
    assert waiting.missing(100) == 1
    waiting.add(result)
    assert waiting.missing(100) == 100 * recorder.SHARE - 1
    assert waiting.missing(10_000) == recorder.MAX_BATCH - 1
    assert waiting.missing(1) == 1
    refuse(monkeypatch)
    waiting.record()
    assert waiting.missing(2) == recorder.MAX_BATCH, "the batch that is tried again goes first"


@pytest.mark.parametrize("part", ["head", "body"])
@pytest.mark.parametrize(("most", "batches"), [(recorder.MAX_BATCH_BYTES, [15, 15, 10]), (10, [1] * 40)])
def test_long_answers_are_written_in_several_batches_one_after_the_other(
    result: Result, monkeypatch: pytest.MonkeyPatch, most: int, batches: list[int], part: str
) -> None:
    monkeypatch.setattr(recorder, "MAX_BATCH_BYTES", most)
    written: list[list[str]] = []

    def write(results: Sequence[Result]) -> list[Consequence]:
        written.append([each.url for each in results])
        return []

    monkeypatch.setattr(recording, "record", write)
    long = (
        {"headers": (("X", "z" * 65_536),), "body": b""} if part == "head" else {"headers": (), "body": b"z" * 65_536}
    )
    outcome = result.outcome._replace(**long)
    waiting = Recorder()
    for number in range(40):
        waiting.add(result._replace(outcome=outcome, url=f"{number}"))
    done: list[str] = []
    while waiting.held:
        assert waiting.is_due(1)
        done += [each.url for each in waiting.record()]
    assert [len(batch) for batch in written] == batches
    assert done == [url for batch in written for url in batch] == [f"{number}" for number in range(40)]
