"""The thread that listens."""

from __future__ import annotations

import signal
import threading
import time
from typing import Any

import pytest

from tests.doorbell.workers import bell_sockets, noting, until
from webapp.doorbell import BellLostError, Listener, make_huey


@pytest.mark.usefixtures("seen")
def test_it_stops_within_a_second_and_leaves_signals_alone(huey_and_note: Any) -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
    listener = Listener(huey_and_note[0])
    assert not listener.is_alive
    listener.start()
    assert listener.is_alive
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)] == before
    until(lambda: bell_sockets(huey_and_note[0]))
    begun = time.monotonic()
    assert listener.stop()
    assert time.monotonic() - begun < 1
    assert not listener.is_alive
    assert listener.stop()


def test_it_can_be_started_from_any_thread_and_again(huey_and_note: Any, seen: list[Any]) -> None:
    huey, note = huey_and_note
    listener = Listener(huey)
    for number in range(2):
        starter = threading.Thread(target=listener.start)
        starter.start()
        starter.join()
        with pytest.raises(RuntimeError):
            listener.start()
        note(number)
        until(lambda: number in seen)  # noqa: B023
        assert listener.stop(10)


def test_a_task_that_raises_does_not_end_it(
    url: str, seen: list[Any], caplog: pytest.LogCaptureFixture, listen: Any
) -> None:
    def fail_once(number: int) -> None:
        if number == 1:
            raise LookupError("once")
        seen.append(number)

    huey, note = noting(url, fail_once)
    listener = listen(huey)
    note(1), note(2)
    until(lambda: seen == [2])
    assert listener.stop(10)
    assert "LookupError" in caplog.text


def test_periodic_tasks_run_when_they_are_wanted(url: str, seen: list[Any], listen: Any) -> None:
    huey = make_huey(url)
    huey.periodic_task(lambda now: True, name="tidy")(lambda: seen.append("tidied"))
    listener = listen(huey)
    until(lambda: seen == ["tidied"])
    assert listener.stop(10)


def test_a_periodic_task_that_the_queue_does_not_take_is_told_in_one_line(
    url: str, listen: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    huey = make_huey(url)
    for name in ("tidy", "mail"):
        huey.periodic_task(lambda now: True, name=name)(lambda: None)

    def refuse(*_: object, **__: object) -> None:
        raise BellLostError("the queue did not answer within 0.25 s")

    monkeypatch.setattr(huey.storage, "enqueue", refuse)
    listener = listen(huey)
    until(lambda: "mail" in caplog.text)
    assert listener.is_alive
    told = [record for record in caplog.records if "did not answer" in record.getMessage() or record.exc_info]
    assert [(record.levelname, record.exc_info) for record in told] == [("WARNING", None)] * 2
    assert listener.stop(10)
