"""Switching a webhook on and off."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from webapp.web.loading import for_people, me
from webapp.webhooks import access, activation
from webapp.webhooks.activation import CheckOutcome

bp = for_people(Blueprint("activations", __name__, url_prefix="/settings/webhooks"))


@bp.post("/<webhook_id>/activation")
def update(webhook_id: str) -> Response:
    """Disable with `enabled=0`; else enable, which waits for a health check. The webhook's page says how it ended."""
    webhook = access.load(me(), webhook_id)
    if request.form.get("enabled") == "0":
        activation.disable(webhook, by=me())
        flash(_("The webhook is disabled. Its deliveries are held."), "success")
        return redirect(url_for("webhooks.show", webhook_id=webhook_id), 303)
    check = activation.enable(webhook, by=me())
    if check is None or check.outcome is CheckOutcome.PASSED:
        flash(_("The webhook is enabled."), "success")
    return redirect(url_for("webhooks.show", webhook_id=webhook_id), 303)
