"""The one card on top of an overview: every combination has exactly one answer, the gravest."""

from __future__ import annotations

import itertools

import pytest

from webapp.models.webhook import DisabledBecause
from webapp.webhooks.state_cards import Card, CardKind, Situation, card

OFF = {"is_on": False}


@pytest.mark.parametrize(
    ("now", "kind"),
    [
        (Situation(), None),
        (Situation(is_new=True), CardKind.NEW),
        (Situation(has_held=True, is_new=True), CardKind.HELD),
        (Situation(has_stuck=True, has_held=True), CardKind.STUCK),
        (Situation(is_paused=True, has_stuck=True), CardKind.PAUSED),
        (Situation(is_warned=True, is_paused=True), CardKind.DISABLING_NEAR),
        (Situation(**OFF), CardKind.OFF),
        (Situation(**OFF, because=DisabledBecause.OWNER, has_held=True), CardKind.OFF),
        (Situation(**OFF, because=DisabledBecause.GONE), CardKind.GONE),
        (Situation(**OFF, because=DisabledBecause.FAILURES, is_warned=True, is_paused=True), CardKind.FAILURES),
        (Situation(**OFF, because=DisabledBecause.GONE, check_failed=True), CardKind.CHECK_FAILED),
        (Situation(check_failed=True), None),
    ],
)
def test_the_gravest_applies(now: Situation, kind: CardKind | None) -> None:
    found = card(now)
    assert (found.kind if found else None) == kind


def test_what_is_held_or_stuck_beside_it_is_told_too() -> None:
    assert card(Situation(is_paused=True, has_stuck=True, has_held=True)) == Card(
        CardKind.PAUSED, (CardKind.STUCK, CardKind.HELD)
    )
    assert card(Situation(has_stuck=True, has_held=True)) == Card(CardKind.STUCK, (CardKind.HELD,))
    assert card(Situation(**OFF, has_stuck=True, has_held=True)) == Card(CardKind.OFF, (CardKind.STUCK,))


def test_nothing_that_is_wrong_goes_untold() -> None:
    flags = ("check_failed", "is_warned", "is_paused", "has_stuck", "has_held", "is_new")
    for values in itertools.product((False, True), repeat=len(flags)):
        given = dict(zip(flags, values, strict=True))
        on = card(Situation(**given))
        if on is None:
            assert not any(given[name] for name in flags if name != "check_failed")
        else:
            told = {on.kind, *on.beside}
            assert (CardKind.STUCK in told) == given["has_stuck"]
            assert (CardKind.HELD in told) == given["has_held"]
        for because in (None, *DisabledBecause):
            off = card(Situation(is_on=False, because=because, **given))
            assert off is not None
            assert (CardKind.STUCK in off.beside) == given["has_stuck"]
