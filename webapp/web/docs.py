"""The guide for the receiving side: what arrives, how to verify it, when it comes again. Public, to be passed on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import accumulate

from flask import Blueprint, render_template, request, url_for
from flask_babel import format_datetime
from flask_babel import lazy_gettext as _l
from flask_babel.speaklater import LazyString

from webapp import config
from webapp.delivery.event_types import HEALTH_CHECK, example
from webapp.delivery.health import DISABLE_AFTER, DISABLE_AFTER_FAILURES, PAUSE_AFTER_FAILURES
from webapp.delivery.retries import MAX_RETRY_AFTER
from webapp.delivery.signing import TOLERANCE_S, Keys, headers
from webapp.models import PayloadFormat
from webapp.web import code_samples

bp = Blueprint("docs", __name__)

SAMPLE_EVENT = "TODO_CREATED"
SAMPLE_SECRETS = ("the guide's new secret", "the guide's old secret")  # nobody's; the values on the page come from them
SAMPLE_AT = 1764000000
HAPPENED_AT = datetime(2026, 11, 23, 9, tzinfo=UTC)  # a Monday
MEANINGS = {
    "Content-Type": _l("Always JSON, in UTF-8."),
    "User-Agent": _l("This product and its version."),
    "X-Webhook-Event": _l("What happened: the same word as “event” in the body."),
    "X-Webhook-Event-Id": _l("The event. A ping has none."),
    "X-Webhook-Attempt": _l("The number of the attempt, from 1."),
    "X-Webhook-Test": _l("Only on tests: true."),
    "webhook-id": _l("The delivery: the same on every attempt, so drop what you have seen."),
    "webhook-timestamp": _l("When this attempt was made, in seconds since 1970."),
    "webhook-signature": _l("Standard Webhooks: one signature for each valid secret. Not on unsigned webhooks."),
    "X-Signature": _l("HMAC-SHA256 of the raw body in hex. Not on unsigned webhooks."),
    "X-Signature-Previous": _l("The same with the old secret, while a rotation lasts."),
}


@dataclass(frozen=True)
class Header:
    """One header that is sent: an example value, and what it says."""

    name: str
    value: str
    meaning: LazyString


@dataclass(frozen=True)
class Step:
    """One attempt: its number, the wait before it, the time since the first one, and when that is for an example."""

    number: int
    wait: str
    since_first: str
    clock: str


@bp.get("/docs")
def show() -> str:
    """The whole guide on one page."""
    settings = config.current()
    address = settings.base_url or request.host_url.rstrip("/")
    return render_template(
        "docs/show.html",
        api=f"{address}/api/v1",
        bodies=[(each.value, example(SAMPLE_EVENT, each)) for each in PayloadFormat],
        ping=example(HEALTH_CHECK, PayloadFormat.FULL),
        headers=_headers(),
        samples=code_samples.samples(url_for(".show")),
        steps=_steps(settings.retry_schedule),
        deadline=words(settings.request_timeout),
        longest_retry_after=words(MAX_RETRY_AFTER),
        tolerance=TOLERANCE,
        kept_days=settings.retention_days,
        pause_after=PAUSE_AFTER_FAILURES,
        disable_after=DISABLE_AFTER_FAILURES,
        disable_days=DISABLE_AFTER.days,
    )


def _headers() -> list[Header]:
    """What signing really makes, so that this page cannot tell anything else."""
    made = headers(
        delivery_id="dlv_cmhyv1f3x0001k3s8h2q9x7ab",
        event_word=SAMPLE_EVENT,
        event_id="evt_cmhyv1f3w0000k3s8d41m0pzq",
        attempt_number=1,
        body=example(SAMPLE_EVENT, PayloadFormat.FULL),
        timestamp=SAMPLE_AT,
        keys=[Keys.of(secret) for secret in SAMPLE_SECRETS],
        is_test=True,
    )
    return [Header(name, value, MEANINGS[name]) for name, value in made]


def _steps(schedule: Sequence[timedelta]) -> list[Step]:
    return [
        Step(number, words(wait), words(since_first), format_datetime(HAPPENED_AT + since_first, "EEE HH:mm:ss", False))
        for number, (wait, since_first) in enumerate(zip(schedule, accumulate(schedule), strict=True), start=1)
    ]


def words(span: timedelta) -> str:
    """A span with its two largest units, in signs that every language of the pages shares: `2 h 35 min`."""
    minutes, seconds = divmod(span.total_seconds(), 60)
    hours, minutes = divmod(minutes, 60)
    parts = [f"{count:g} {unit}" for count, unit in ((hours, "h"), (minutes, "min"), (seconds, "s")) if count]
    return " ".join(parts[:2]) or "0 s"


TOLERANCE = words(timedelta(seconds=TOLERANCE_S))
