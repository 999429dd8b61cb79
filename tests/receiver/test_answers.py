"""Slow answers wait, but never so many that the web server stands still."""

import threading
import time

from webapp.receiver import answers
from webapp.receiver.answers import Answer


def test_an_answer_waits_for_its_delay() -> None:
    before = time.monotonic()

    Answer(delay_ms=50).wait()

    assert time.monotonic() - before >= 0.05


def test_only_a_few_answers_wait_at_once() -> None:
    waiting = [threading.Thread(target=Answer(delay_ms=1500).wait) for _ in range(answers.MAX_WAITING_ANSWERS)]
    for thread in waiting:
        thread.start()
    while answers._waiting._value:  # type: ignore[attr-defined]
        time.sleep(0.001)
    before = time.monotonic()

    Answer(delay_ms=60_000).wait()

    assert time.monotonic() - before < 1
    for thread in waiting:
        thread.join()


def test_a_waiting_answer_makes_room_afterwards() -> None:
    for _ in range(answers.MAX_WAITING_ANSWERS + 1):
        before = time.monotonic()
        Answer(delay_ms=20).wait()
        assert time.monotonic() - before >= 0.02


def test_what_is_no_success_or_is_slow_misbehaves() -> None:
    assert [Answer(status).misbehaves for status in (200, 204, 299, 302, 410, 599)] == [False] * 3 + [True] * 3
    assert Answer(delay_ms=1).misbehaves
    assert Answer(hangs_up=True).misbehaves
