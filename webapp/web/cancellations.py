"""Cancelling a delivery by hand, from its page or its row in a log."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from webapp.models import Conflict
from webapp.web.errors import said
from webapp.web.loading import for_people, me
from webapp.web.redirects import next_path
from webapp.webhooks import cancellation, log

bp = for_people(Blueprint("cancellations", __name__, url_prefix="/settings/webhooks"))


@bp.post("/<webhook_id>/deliveries/<delivery_id>/cancellation")
def create(webhook_id: str, delivery_id: str) -> Response:
    """Send it no more; the answer is the page that the button stood on."""
    delivery = log.load(me(), delivery_id, webhook_id)
    page = url_for("deliveries.show", webhook_id=webhook_id, delivery_id=delivery_id)
    try:
        cancellation.cancel(delivery, by=me())
    except Conflict as error:
        flash(said(error), "danger")
    else:
        flash(_("It is cancelled and will not be sent."), "success")
    return redirect(next_path(page), 303)
