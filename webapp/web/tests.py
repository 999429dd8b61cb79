"""The Test tab: send an example of any event type, as it is or edited, or a plain ping, and see the answer in place."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response
from wtforms import SelectField, TextAreaField

from webapp.delivery import heartbeats
from webapp.delivery.event_types import HEALTH_CHECK, by_group, event_types
from webapp.models import Attempt, Delivery, Invalid, TooMany, Webhook, utc_now
from webapp.request_extensions import htmx
from webapp.web import large_forms, webhook_pages
from webapp.web.badges import Badge
from webapp.web.delivery_rows import rows
from webapp.web.errors import said
from webapp.web.forms import Form, choice, run
from webapp.web.forms import lazy_text as _l
from webapp.web.loading import for_people, me
from webapp.web.outcomes import Explained, explain, phrase
from webapp.webhooks import access, log, pings, samples
from webapp.webhooks.samples import Draft

bp = large_forms.allow(for_people(Blueprint("tests", __name__, url_prefix="/settings/webhooks/<webhook_id>")))

USUAL = "TODO_CREATED"
WATCHED_FOR = timedelta(minutes=2)  # then the page stops asking; the log goes on showing it
SLOW = timedelta(seconds=2)  # then it is worth asking whether a worker lives


class SampleForm(Form):
    """An event type and the values of its example, which may be edited."""

    event = SelectField(_l("Event type"), validate_choice=False)
    previous_value = TextAreaField("previousValue")
    current_value = TextAreaField("currentValue")

    @classmethod
    def of(cls, code: str) -> SampleForm:
        """The form with a type's example."""
        draft = Draft(None, None) if code == HEALTH_CHECK else samples.example(code)
        return cls(formdata=None, event=code, previous_value=draft.previous, current_value=draft.current)

    @property
    def code(self) -> str:
        """The event type that was chosen; TODO_CREATED in place of one that there is not."""
        known = self.event.data == HEALTH_CHECK or self.event.data in event_types(None)
        return str(self.event.data) if known else USUAL

    @property
    def values(self) -> pings.Values | None:
        """The values that were typed; None for a ping, which has none. Raises Invalid."""
        if self.code == HEALTH_CHECK:
            return None
        return samples.typed(self.code, Draft(self.previous_value.data, self.current_value.data))


@dataclass(frozen=True)
class Result:
    """How a test went so far."""

    delivery: Delivery
    badge: Badge
    attempt: Attempt | None
    explained: Explained | None
    is_watched: bool
    has_worker: bool


@bp.get("/test")
def new(webhook_id: str) -> str:
    """The example of a type, that of one that the webhook sends at first."""
    webhook = access.load(me(), webhook_id)
    usual = webhook.events[0] if webhook.events else USUAL
    form = SampleForm(formdata=None, event=request.args.get("event", usual))
    return _page(webhook, SampleForm.of(form.code))


@bp.post("/tests")
def create(webhook_id: str) -> Response | str | tuple[str, int]:
    """Let a worker send it."""
    webhook = access.load(me(), webhook_id)
    form = SampleForm()
    try:
        done = run(form, lambda: _sent(webhook, form))
    except TooMany as error:
        form.form_errors.append(said(error))
        done = None
    if done is None:
        return _page(webhook, form), 422
    if htmx:
        return _page(webhook, form, _result(done.value), is_new=True)
    return redirect(url_for(".show", webhook_id=webhook.id, delivery_id=done.value.id), 303)


@bp.post("/tests/preview")
def preview(webhook_id: str) -> str:
    """The body that the values make, while they are typed."""
    webhook = access.load(me(), webhook_id)
    form = SampleForm()
    if htmx:
        return render_template("tests/_preview.html", **_preview(webhook, form))
    return _page(webhook, form)


@bp.get("/tests/<delivery_id>")
def show(webhook_id: str, delivery_id: str) -> str:
    """How a test went so far."""
    delivery = log.load(me(), delivery_id, webhook_id)
    result = _result(delivery)
    if htmx:
        return render_template("tests/_result.html", result=result, phrase=phrase)
    webhook = access.load(me(), webhook_id)
    return _page(webhook, SampleForm.of(SampleForm(formdata=None, event=delivery.event_type).code), result)


def _sent(webhook: Webhook, form: SampleForm) -> Delivery:
    if form.code == HEALTH_CHECK:
        return pings.ping(webhook, by=me())
    return pings.test(webhook, form.code, form.values, by=me())


def _page(webhook: Webhook, form: SampleForm, result: Result | None = None, *, is_new: bool = False) -> str:
    form.event.choices = [choice(HEALTH_CHECK, _("Test ping"))] + [
        choice(each.code, f"{_(each.label)} ({each.code})", _(group.label))
        for group, types in by_group(None).items()
        for each in types
    ]
    draft = Draft(None, None) if form.code == HEALTH_CHECK else samples.example(form.code)
    return webhook_pages.page(
        "tests/new.html",
        webhook,
        form=form,
        is_ping=form.code == HEALTH_CHECK,
        draft=draft,
        is_edited=form.errors or Draft(_lf(form.previous_value.data), _lf(form.current_value.data)) != draft,
        event_type=event_types(None).get(form.code),
        result=result,
        is_new=is_new,
        phrase=phrase,
        most=pings.MAX_PER_MINUTE,
        **_preview(webhook, form),
    )


def _lf(text: str | None) -> str | None:
    """A field's text with the line breaks that it was given, not those that browsers send."""
    return text.replace("\r\n", "\n") if text else None


def _preview(webhook: Webhook, form: SampleForm) -> dict[str, Any]:
    try:
        return {"body": pings.body(webhook, form.code, form.values, by=me()), "unreadable": ""}
    except Invalid as error:
        return {"body": b"", "unreadable": said(error)}


def _result(delivery: Delivery) -> Result:
    age = utc_now() - delivery.created_at
    attempts = log.attempts(delivery)
    return Result(
        delivery=delivery,
        badge=rows(me(), [delivery])[0].badge,
        attempt=attempts[-1] if attempts else None,
        explained=explain(delivery.last_status, delivery.last_error) if delivery.is_settled else None,
        is_watched=not delivery.is_settled and age < WATCHED_FOR,
        has_worker=age < SLOW or heartbeats.is_any_alive(),
    )
