"""Switching a webhook on and off."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from webapp.models import Webhook
from webapp.request_extensions import htmx
from webapp.web import webhook_list
from webapp.web.loading import for_people, me
from webapp.web.redirects import next_path
from webapp.webhooks import access, activation
from webapp.webhooks.activation import CheckOutcome

bp = for_people(Blueprint("activations", __name__, url_prefix="/settings/webhooks"))


@bp.post("/<webhook_id>/activation")
def update(webhook_id: str) -> Response | str:
    """Disable with `enabled=0`; else enable, which waits for a health check. The page says how it ended, or the row."""
    webhook = access.load(me(), webhook_id)
    if request.form.get("enabled") == "0":
        activation.disable(webhook, by=me())
        return _answer(webhook, _("The webhook is disabled. Its deliveries are held."))
    check = activation.enable(webhook, by=me())
    is_on = check is None or check.outcome is CheckOutcome.PASSED
    return _answer(webhook, _("The webhook is enabled.") if is_on else "")


def _answer(webhook: Webhook, message: str) -> Response | str:
    if htmx:
        return render_template("webhooks/_switched.html", row=webhook_list.row(webhook))
    if message:
        flash(message, "success")
    return redirect(next_path(url_for("webhooks.show", webhook_id=webhook.id)), 303)
