"""How the receivers of the demo's webhooks answered in the past. Pure: the moment and the dice are handed in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import format_datetime
from http import HTTPStatus
from random import Random

from webapp.delivery.outcomes import Outcome
from webapp.delivery.transport.failures import CONNECT_REFUSED, LOST, TIMED_OUT
from webapp.models import ErrorWord
from webapp.receiver.answers import Answer

LIMIT_MS = 20_000.0  # for one attempt
CONNECT_MS = 0.6

Way = Callable[[datetime, Random], Outcome]


@dataclass(frozen=True)
class Spell:
    """From a moment on, until the next spell, a receiver answers in one of these ways, by the dice."""

    since: datetime
    ways: Sequence[Way]


def outcome(spells: Sequence[Spell], at: datetime, dice: Random) -> Outcome:
    """How an attempt at this moment ended. The spells are in their order; the first one holds from the beginning."""
    spell = [spells[0], *(one for one in spells[1:] if one.since <= at)][-1]
    return dice.choice(spell.ways)(at, dice)


def answers(answer: Answer, *, least_ms: float = 11, most_ms: float = 85) -> Way:
    """It answers as an inbox that was told so, within so many milliseconds."""
    body = answer.body.encode()
    phrase = HTTPStatus(answer.status).phrase
    again = [("Retry-After", str(answer.retry_after_s))] if answer.retry_after_s is not None else []

    def way(at: datetime, dice: Random) -> Outcome:
        total_ms = answer.delay_ms + dice.uniform(least_ms, most_ms)
        return Outcome(
            status=answer.status,
            reason=phrase,
            headers=(
                ("Server", "gunicorn"),
                ("Date", format_datetime(at + timedelta(milliseconds=total_ms), usegmt=True)),
                ("Connection", "keep-alive"),
                ("Content-Type", "text/plain; charset=utf-8"),
                ("Content-Length", str(len(body))),
                *again,
            ),
            body=body,
            retry_after=timedelta(seconds=answer.retry_after_s) if answer.retry_after_s is not None else None,
            connect_ms=round(dice.uniform(0.2, CONNECT_MS), 3),
            first_byte_ms=round(total_ms * 0.93, 3),
            total_ms=round(total_ms, 3),
        )

    return way


def is_silent(_at: datetime, dice: Random) -> Outcome:
    """It takes the request and does not answer in time."""
    total_ms = round(LIMIT_MS + dice.uniform(1, 9), 3)
    return Outcome(error=ErrorWord.TIMED_OUT, sentence=TIMED_OUT, connect_ms=CONNECT_MS, total_ms=total_ms)


def is_down(_at: datetime, dice: Random) -> Outcome:
    """Nobody listens there."""
    spent_ms = round(dice.uniform(0.2, CONNECT_MS), 3)
    return Outcome(
        error=ErrorWord.CONNECT_REFUSED,
        sentence=CONNECT_REFUSED,
        connect_ms=spent_ms,
        total_ms=round(spent_ms + 0.4, 3),
    )


def hangs_up(_at: datetime, dice: Random) -> Outcome:
    """It closes the connection in the middle."""
    total_ms = round(dice.uniform(6, 60), 3)
    return Outcome(error=ErrorWord.CONNECTION_LOST, sentence=LOST, connect_ms=CONNECT_MS, total_ms=total_ms)
