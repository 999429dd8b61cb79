"""Test pings: ask for one, and see how it went in place."""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from webapp.delivery import heartbeats
from webapp.models import Delivery, RequestError, TooMany, utc_now
from webapp.request_extensions import htmx
from webapp.web.errors import said
from webapp.web.loading import for_people, me
from webapp.web.outcomes import explain
from webapp.webhooks import access, log, pings

bp = for_people(Blueprint("pings", __name__, url_prefix="/settings/webhooks"))

WATCHED_FOR = timedelta(minutes=2)  # then the page stops asking; the log goes on showing it
REFRESH = "live:refresh"  # the event in the browser that parts of a page wait for
SLOW = timedelta(seconds=2)  # then it is worth asking whether a worker lives


@bp.post("/<webhook_id>/pings")
def create(webhook_id: str) -> Response | tuple[str, int]:
    """Let a worker send a test ping."""
    webhook = access.load(me(), webhook_id)
    try:
        delivery = pings.ping(webhook, by=me())
    except TooMany as error:
        return _refused(webhook_id, error)
    if htmx:
        return _result(delivery)
    flash(_("The test ping is on its way."), "success")
    return redirect(url_for("webhooks.show", webhook_id=webhook_id), 303)


@bp.get("/<webhook_id>/pings/<delivery_id>")
def show(webhook_id: str, delivery_id: str) -> Response:
    """How a ping went so far, for the page that asked for it."""
    delivery = log.load(me(), delivery_id, webhook_id)
    if htmx:
        return _result(delivery)
    return redirect(url_for("deliveries.show", webhook_id=webhook_id, delivery_id=delivery_id), 303)


def _refused(webhook_id: str, error: RequestError) -> Response | tuple[str, int]:
    if htmx:
        return render_template("webhooks/_ping.html", delivery=None, problem=said(error)), 422
    flash(said(error), "danger")
    return redirect(url_for("webhooks.show", webhook_id=webhook_id), 303)


def _result(delivery: Delivery) -> Response:
    age = utc_now() - delivery.created_at
    part = render_template(
        "webhooks/_ping.html",
        delivery=delivery,
        explained=explain(delivery.last_status, delivery.last_error) if delivery.is_settled else None,
        is_watched=not delivery.is_settled and age < WATCHED_FOR,
        has_worker=age < SLOW or heartbeats.is_any_alive(),
        problem="",
        with_name=bool(request.values.get("with_name")),
    )
    answer = make_response(part)
    if delivery.is_settled:
        answer.headers["HX-Trigger"] = REFRESH  # what else the page shows of it is asked for at once
    return answer
