"""The overview of a webhook: its state card, figures and charts of a span, causes of failures, latest deliveries."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import request, url_for
from flask_babel import gettext as _

from webapp.delivery.event_types import event_types
from webapp.models import ErrorWord, Webhook, utc_now
from webapp.models.hour import UNKNOWN
from webapp.web import charts, state_cards
from webapp.web.charts import Chart
from webapp.web.delivery_rows import Row, rows
from webapp.web.forms import lazy_text as _l
from webapp.web.loading import me
from webapp.web.outcomes import Explained, explain
from webapp.web.person import time_zone
from webapp.web.state_cards import StateCard
from webapp.web.webhook_pages import Shown
from webapp.webhooks import hours, log
from webapp.webhooks.hours import Cause, Course, Span
from webapp.webhooks.log import LogFilter

LATEST = 5  # deliveries
NAMED = 6  # event types and projects that are named one by one
SPANS = {Span.DAY: _l("24 hours"), Span.WEEK: _l("7 days"), Span.MONTH: _l("30 days")}


@dataclass(frozen=True)
class ShownCause:
    """Failures of one kind, in words; `url` leads to such deliveries in the log."""

    outcome: str
    count: int
    since: datetime
    explained: Explained
    url: str


@dataclass(frozen=True)
class Overview:
    """What the template asks."""

    url: str
    card: StateCard | None
    course: Course
    chart: Chart | None
    spans: list[tuple[Span, str, str]]
    causes: list[ShownCause]
    latest: list[Row]
    events: str
    projects: str


def view(shown: Shown) -> Overview:
    """The overview of this webhook over the span that the request asks for."""
    webhook = shown.webhook
    span = _span()
    course = hours.course(webhook.id, span, utc_now(), ZoneInfo(time_zone()))
    page = log.deliveries(me(), LogFilter(webhook_id=webhook.id), limit=LATEST)
    return Overview(
        url=_url(webhook, span),
        card=state_cards.of(webhook, shown.figures),
        course=course,
        chart=charts.chart(course) if course.succeeded + course.failed else None,
        spans=[(each, str(label), _url(webhook, each)) for each, label in SPANS.items()],
        causes=[_cause(webhook, cause) for cause in course.causes],
        latest=rows(me(), page.deliveries),
        events=_events(webhook),
        projects=_named(shown.project_names) if webhook.project_ids else _("All projects that you administer"),
    )


def _span() -> Span:
    try:
        return Span(request.args.get("span", Span.DAY))
    except ValueError:
        return Span.DAY


def _url(webhook: Webhook, span: Span) -> str:
    return url_for("webhooks.show", webhook_id=webhook.id, span=span.value)


def _cause(webhook: Webhook, cause: Cause) -> ShownCause:
    status = int(cause.outcome) if cause.outcome.isdigit() else None
    error = None if status or cause.outcome == UNKNOWN else ErrorWord(cause.outcome)
    wanted: dict[str, Any] = {"error": error.value} if error else {"response": f"{status // 100}xx"} if status else {}
    url = url_for("webhooks.log", webhook_id=webhook.id, kind="real", **wanted) if wanted else ""
    return ShownCause(cause.outcome, cause.count, cause.since, explain(status, error), url)


def _events(webhook: Webhook) -> str:
    if not webhook.events:
        return _("All events, new kinds too")
    known = event_types(None)
    return _named([_(known[code].label) if code in known else code for code in webhook.events])


def _named(names: list[str]) -> str:
    if len(names) <= NAMED:
        return ", ".join(names) or _("None")
    return _("%(names)s and %(number)s more", names=", ".join(names[:NAMED]), number=len(names) - NAMED)
