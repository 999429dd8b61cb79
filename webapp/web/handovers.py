"""Handing a webhook over: its owner offers it, the other accepts or refuses."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response
from wtforms import SelectField

from webapp.models import Webhook
from webapp.web.forms import Form, Required, choice, run
from webapp.web.forms import lazy_text as _l
from webapp.web.loading import for_people, me
from webapp.webhooks import access, handover

bp = for_people(Blueprint("handovers", __name__, url_prefix="/settings"))


class HandoverForm(Form):
    """Who is to have it."""

    to_user_id = SelectField(_l("New owner"), [Required()], validate_choice=False)


@bp.get("/webhooks/<webhook_id>/handover")
def new(webhook_id: str) -> str:
    """Offer a webhook to somebody, or see to whom it is offered."""
    return _page(access.load(me(), webhook_id))


@bp.post("/webhooks/<webhook_id>/handover")
def create(webhook_id: str) -> Response | tuple[str, int]:
    """Offer it."""
    webhook = access.load(me(), webhook_id)
    form = _form(webhook)
    done = run(form, lambda: handover.offer(webhook, form.to_user_id.data or "", by=me()))
    if done is None:
        return _page(webhook, form), 422
    flash(_("The webhook is offered. It stays yours until it is accepted."), "success")
    return redirect(url_for(".new", webhook_id=webhook.id), 303)


@bp.post("/webhooks/<webhook_id>/handover/withdrawal")
def withdraw(webhook_id: str) -> Response:
    """Take the offer back."""
    webhook = access.load(me(), webhook_id)
    handover.withdraw(webhook, by=me())
    flash(_("The offer is withdrawn."), "success")
    return redirect(url_for(".new", webhook_id=webhook.id), 303)


@bp.get("/handovers/<webhook_id>")
def show(webhook_id: str) -> str:
    """What one is offered."""
    webhook = handover.load(me(), webhook_id).webhook
    return render_template("handovers/show.html", webhook=webhook)


@bp.post("/handovers/<webhook_id>/acceptance")
def accept(webhook_id: str) -> Response:
    """Take it over."""
    handover.accept(webhook_id, by=me())
    flash(_("The webhook is yours now."), "success")
    return redirect(url_for("webhooks.show", webhook_id=webhook_id), 303)


@bp.post("/handovers/<webhook_id>/refusal")
def refuse(webhook_id: str) -> Response:
    """Leave it to its owner."""
    handover.refuse(webhook_id, by=me())
    flash(_("You did not take the webhook over."), "success")
    return redirect(url_for("webhooks.index"), 303)


def _page(webhook: Webhook, form: HandoverForm | None = None) -> str:
    form = form or _form(webhook)
    return render_template("handovers/new.html", webhook=webhook, form=form, offer=handover.offer_of(webhook))


def _form(webhook: Webhook) -> HandoverForm:
    form = HandoverForm()
    form.to_user_id.choices = [choice(each.id, f"{each.name} ({each.email})") for each in handover.candidates(webhook)]
    return form
