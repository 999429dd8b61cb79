"""How fast receivers have answered lately."""

from __future__ import annotations

from webapp.delivery import paces
from webapp.delivery.health import PAUSE_AFTER_FAILURES
from webapp.delivery.paces import QUICK_S, SLOW_S, Paces


def test_a_receiver_that_takes_seconds_is_slow_from_its_first_answer_on() -> None:
    known = Paces()
    known.note("slow", 14.0)
    known.note("quick", 0.2)
    assert known.is_slow("slow")
    assert not known.is_slow("quick")
    assert not known.is_slow("never seen")


def test_it_is_quick_again_after_a_few_quick_answers() -> None:
    known = Paces()
    known.note("w", 14.0)
    answers = 0
    while known.is_slow("w"):
        known.note("w", 0.1)
        answers += 1
    assert 2 <= answers <= 5


def test_one_slow_answer_among_quick_ones_of_a_slow_receiver_does_not_hide_it() -> None:
    known = Paces()
    for seconds in (SLOW_S + 1, SLOW_S + 1, SLOW_S - 1):
        known.note("w", seconds)
    assert known.is_slow("w")


def test_only_a_receiver_that_is_known_to_answer_within_milliseconds_is_quick() -> None:
    known = Paces()
    known.note("quick", QUICK_S / 4)
    known.note("usual", QUICK_S * 10)
    assert known.is_quick("quick")
    assert not known.is_quick("usual")
    assert not known.is_quick("never seen")
    known.note("quick", 10.0)
    assert not known.is_quick("quick")


def test_a_receiver_that_fails_again_and_again_is_not_quick_until_it_takes_something() -> None:
    known = Paces()
    known.note("w", QUICK_S / 4)
    for _ in range(PAUSE_AFTER_FAILURES):
        assert known.is_quick("w")
        known.note_outcome("w", is_success=False)
    assert known.is_failing("w")
    assert not known.is_quick("w")
    known.note_outcome("w", is_success=True)
    assert known.is_quick("w")
    assert not known.is_failing("w")


def test_its_memory_is_bounded(monkeypatch) -> None:
    monkeypatch.setattr(paces, "MAX_REMEMBERED", 3)
    known = Paces()
    for name in "abcde":
        known.note(name, 10.0)
    assert [name for name in "abcde" if known.is_slow(name)] == ["c", "d", "e"]
