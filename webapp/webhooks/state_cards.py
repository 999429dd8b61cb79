"""The one card on top of a webhook's overview: what is to be known first, and done. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from webapp.models import Webhook
from webapp.models.webhook import DisabledBecause
from webapp.webhooks.activation import CheckOutcome, HealthCheck
from webapp.webhooks.statistics import Figures
from webapp.webhooks.words import WebhookWord


class CardKind(StrEnum):
    """What the card is about, the gravest first."""

    CHECK_FAILED = "check_failed"
    GONE = "gone"
    FAILURES = "failures"
    OFF = "off"
    DISABLING_NEAR = "disabling_near"
    PAUSED = "paused"
    STUCK = "stuck"
    HELD = "held"
    NEW = "new"


@dataclass(frozen=True)
class Situation:
    """What the card depends on."""

    is_on: bool = True
    because: DisabledBecause | None = None
    check_failed: bool = False
    is_warned: bool = False
    is_paused: bool = False
    has_stuck: bool = False
    has_held: bool = False
    is_new: bool = False


@dataclass(frozen=True)
class Card:
    """The card, and what else is so: it is told in a line of its own below, with its link."""

    kind: CardKind
    beside: tuple[CardKind, ...] = ()


def situation(webhook: Webhook, figures: Figures) -> Situation:
    """How this webhook stands."""
    check = HealthCheck.of(webhook)
    return Situation(
        is_on=webhook.enabled,
        because=webhook.disabled_because,
        check_failed=check is not None and check.outcome is not CheckOutcome.PASSED,
        is_warned=webhook.health.warned_at is not None,
        is_paused=webhook.health.paused_at is not None,
        has_stuck=figures.stuck > 0,
        has_held=figures.held > 0,
        is_new=figures.word is WebhookWord.NEW,
    )


def card(now: Situation) -> Card | None:
    """The card of a webhook that stands so; None for a healthy one."""
    kinds = list(_kinds(now))
    if not kinds:
        return None
    return Card(kinds[0], tuple(kind for kind in kinds[1:] if kind in (CardKind.STUCK, CardKind.HELD)))


def _kinds(now: Situation) -> list[CardKind]:
    stuck = [CardKind.STUCK] if now.has_stuck else []
    if not now.is_on:  # what is held is told by the card itself
        return [_off(now), *stuck]
    applies = {
        CardKind.DISABLING_NEAR: now.is_warned,
        CardKind.PAUSED: now.is_paused,
        CardKind.STUCK: now.has_stuck,
        CardKind.HELD: now.has_held,
        CardKind.NEW: now.is_new,
    }
    return [kind for kind, does in applies.items() if does]


def _off(now: Situation) -> CardKind:
    if now.check_failed:
        return CardKind.CHECK_FAILED
    reasons = {DisabledBecause.GONE: CardKind.GONE, DisabledBecause.FAILURES: CardKind.FAILURES}
    return CardKind.OFF if now.because is None else reasons.get(now.because, CardKind.OFF)
