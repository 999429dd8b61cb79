"""Cancelling a delivery by hand, from its page or its row in a log."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from webapp.models import Conflict
from webapp.request_extensions import htmx
from webapp.web import delivery_pages
from webapp.web.errors import said
from webapp.web.loading import for_people, me
from webapp.web.redirects import next_path
from webapp.webhooks import cancellation, log

bp = for_people(Blueprint("cancellations", __name__, url_prefix="/settings/webhooks"))


@bp.post("/<webhook_id>/deliveries/<delivery_id>/cancellation")
def create(webhook_id: str, delivery_id: str) -> Response:
    """Send it no more; the answer is the page that the button stood on."""
    delivery = log.load(me(), delivery_id, webhook_id)
    problem = ""
    try:
        cancellation.cancel(delivery, by=me())
    except Conflict as error:
        problem = said(error)
    if htmx and htmx.target == delivery_pages.PART:
        return delivery_pages.part(delivery_pages.view(me(), log.load(me(), delivery_id), problem))
    flash(problem or _("It is cancelled and will not be sent."), "danger" if problem else "success")
    page = url_for("deliveries.show", webhook_id=webhook_id, delivery_id=delivery_id)
    return redirect(next_path(page), 303)
