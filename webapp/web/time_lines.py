"""The time line of a delivery: what happened to it, step by step, and what comes next."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from babel.units import format_unit
from flask_babel import get_locale, ngettext
from flask_babel import gettext as _

from webapp.delivery import retries
from webapp.models import UNSETTLED, Attempt, Delivery
from webapp.web.badges import REASON, STATE, state_badge
from webapp.web.formats import duration
from webapp.webhooks.doers import Wish

UNITS = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))


@dataclass(frozen=True)
class Moment:
    """One step. `kind` is a colour's name, `offset` the span since the beginning, `number` that of an attempt."""

    kind: str
    icon: str
    text: str
    at: datetime
    offset: str = ""
    details: tuple[str, ...] = ()
    code: str = ""
    number: int | None = None
    is_next: bool = False


def moments(
    delivery: Delivery, attempts: Sequence[Attempt], wishes: Sequence[Wish], probe_at: datetime | None = None
) -> list[Moment]:
    """All steps, the earliest first; what comes next is last. `probe_at` is for what waits for its paused webhook."""
    event = delivery.event
    beginning = event.created_at if event else delivery.created_at
    found = [Moment("primary", "zap", _("The event happened"), beginning)] if event else []
    made = Moment("secondary", "list-checks", _("The delivery was made"), delivery.created_at)
    asked = {wish.seq: wish for wish in wishes}
    tries = [_tried(attempt, delivery, attempts, asked) for attempt in attempts]
    past = sorted([made, *tries, *_ends(delivery)], key=lambda moment: moment.at)
    return [_since(beginning, moment) for moment in [*found, *past, *_coming(delivery, attempts, wishes, probe_at)]]


def outcome_kind(attempt: Attempt) -> tuple[str, str]:
    """Colour and icon of an attempt."""
    if not attempt.is_known:
        return "secondary", "clock"
    is_good = attempt.error is None and attempt.status is not None and 200 <= attempt.status <= 299
    return ("success", "circle-check") if is_good else ("danger", "circle-x")


def outcome_code(attempt: Attempt) -> str:
    """Its status code, its error word, or both."""
    return " ".join(str(part) for part in (attempt.status, attempt.error) if part is not None)


def is_under_way(attempt: Attempt, delivery: Delivery) -> bool:
    """Whether it is being sent just now."""
    return not attempt.is_known and delivery.is_in_flight and attempt.number == delivery.attempts_made


def _tried(attempt: Attempt, delivery: Delivery, attempts: Sequence[Attempt], asked: Mapping[int, Wish]) -> Moment:
    kind, icon = outcome_kind(attempt)
    details = [] if attempt.total_ms is None else [duration(attempt.total_ms)]
    if attempt.redelivery_seq is not None:
        details.append(by_hand(asked.get(attempt.redelivery_seq)))
    details.append(_("worker %(worker)s", worker=attempt.worker))
    return Moment(
        "primary" if is_under_way(attempt, delivery) else kind,
        "arrow-right" if is_under_way(attempt, delivery) else icon,
        _("Attempt %(number)s", number=attempt.number),
        attempt.started_at or attempt.claimed_at,
        details=(*details, *_wish_to_wait(attempt)),
        code=outcome_code(attempt) or (_("being sent") if is_under_way(attempt, delivery) else _("Unknown")),
        number=attempt.number,
    )


def by_hand(wish: Wish | None) -> str:
    """How an attempt came about that no schedule asked for."""
    if wish is None or not wish.by:
        return _("by hand")
    if wish.is_replay:
        return _("by a replay of %(name)s", name=wish.by)
    return _("by hand, by %(name)s", name=wish.by)


def _wish_to_wait(attempt: Attempt) -> Iterator[str]:
    if attempt.retry_after_s is None:
        return
    seconds = ngettext(
        "Retry-After: wait %(num)s second", "Retry-After: wait %(num)s seconds", int(attempt.retry_after_s)
    )
    wait = retries.honoured(attempt.status, timedelta(seconds=attempt.retry_after_s))
    yield seconds if wait else _("%(wish)s (only heeded with 429 and 503)", wish=seconds)


def _ends(delivery: Delivery) -> Iterator[Moment]:
    if delivery.held_at is not None:
        yield Moment("primary", "hand", _("Held since then"), delivery.held_at, details=_reason(delivery))
    if delivery.settled_at is not None and delivery.state not in UNSETTLED:
        badge = state_badge(delivery.state)
        text = str(STATE[delivery.state])
        yield Moment(badge.kind, badge.icon, text, delivery.settled_at, details=_reason(delivery))


def _coming(
    delivery: Delivery, attempts: Sequence[Attempt], wishes: Sequence[Wish], probe_at: datetime | None
) -> Iterator[Moment]:
    for wish in wishes:
        if wish.is_open and not delivery.is_in_flight:
            text = _("%(name)s asked to send it again", name=wish.by) if wish.by else _("It will be sent again")
            yield Moment("warning", "rotate-cw", text, wish.at)
    if probe_at is not None:
        # Which of those that wait is the probe is not known before it goes out.
        text = _("Waits while the webhook is paused. Next probe of the webhook")
        yield Moment("warning", "pause", text, probe_at, is_next=True)
    elif delivery.next_attempt_at is not None and not delivery.is_in_flight:
        yield Moment(
            "warning", "rotate-cw", _("Next attempt"), delivery.next_attempt_at, details=_moved(attempts), is_next=True
        )


def _moved(attempts: Sequence[Attempt]) -> tuple[str, ...]:
    """Whether the receiver's wish put the next attempt where it is."""
    last = attempts[-1] if attempts else None
    span = None if last is None or last.retry_after_s is None else timedelta(seconds=last.retry_after_s)
    return (_("The receiver asked to wait (Retry-After)"),) if last and retries.honoured(last.status, span) else ()


def _reason(delivery: Delivery) -> tuple[str, ...]:
    return (str(REASON[delivery.reason]),) if delivery.reason in REASON else ()


def _since(beginning: datetime, moment: Moment) -> Moment:
    span = moment.at - beginning
    offset = "" if moment.at == beginning else f"+{_span(span)}"
    return Moment(**{**vars(moment), "offset": offset})


def _span(span: timedelta) -> str:
    """A span by its largest unit: “12 ms”, “5 s”, “5 min”, “2 hr”."""
    seconds = max(0.0, span.total_seconds())
    if seconds < 1:
        return str(format_unit(round(seconds * 1000), "millisecond", length="short", locale=get_locale()))
    unit, size = next((unit, size) for unit, size in UNITS if seconds >= size)
    value = seconds / size
    shown = round(value) if value >= 10 else round(value, 1)
    return str(format_unit(shown, unit, length="short", locale=get_locale()))
