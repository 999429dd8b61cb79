"""Sending a delivery again by hand, from its row in a log or from its page."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from webapp.models import Conflict, Delivery, TooMany
from webapp.request_extensions import htmx
from webapp.web import delivery_pages
from webapp.web.delivery_rows import rows
from webapp.web.errors import said
from webapp.web.loading import for_people, me
from webapp.web.redirects import next_path
from webapp.webhooks import log, redelivery

bp = for_people(Blueprint("redeliveries", __name__, url_prefix="/settings/webhooks"))


@bp.post("/<webhook_id>/deliveries/<delivery_id>/redeliveries")
def create(webhook_id: str, delivery_id: str) -> Response | str | tuple[str, int]:
    """Ask for one more attempt; the answer is the row, or the page that the button stood on."""
    delivery = log.load(me(), delivery_id, webhook_id)
    problem = ""
    try:
        redelivery.redeliver(delivery, by=me(), after=request.form.get("attempts", type=int))
    except (Conflict, TooMany) as error:
        problem = said(error)
    if htmx and htmx.target == delivery_pages.PART:
        return delivery_pages.part(delivery_pages.view(me(), log.load(me(), delivery_id), problem))
    if htmx:
        return _row(delivery, problem)
    flash(problem or _("It is being sent again."), "danger" if problem else "success")
    page = url_for("deliveries.show", webhook_id=webhook_id, delivery_id=delivery_id)
    return redirect(next_path(page), 303)


def _row(delivery: Delivery, problem: str) -> str | tuple[str, int]:
    found = log.load(me(), delivery.id)
    html = render_template(
        "deliveries/_row.html",
        row=rows(me(), [found])[0],
        with_webhook=bool(request.form.get("with_webhook")),
        problem=problem,
    )
    return (html, 422) if problem else html
