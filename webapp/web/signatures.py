"""A webhook's secret and what is signed with it: reveal, rotate, end the overlap, remove."""

from __future__ import annotations

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response
from wtforms import PasswordField, RadioField, SelectField

from webapp.accounts import sign_in
from webapp.models import Conflict, Invalid, Webhook, utc_now
from webapp.request_extensions import htmx
from webapp.web import code_samples, compression, last_deliveries, new_secrets, webhook_pages
from webapp.web.docs import MEANINGS, TOLERANCE
from webapp.web.forms import Form, Required, choice, run
from webapp.web.forms import lazy_text as _l
from webapp.web.loading import for_people, me
from webapp.web.signature_checks import CheckForm
from webapp.webhooks import access, headers, secrets, words
from webapp.webhooks.rules import GENERATED

bp = for_people(Blueprint("signatures", __name__, url_prefix="/settings/webhooks/<webhook_id>"))

OWN = "own"
HIDES_AFTER_S = 30


class RevealForm(Form):
    """The password, each time anew."""

    password = PasswordField(_l("Your password"), [Required()])


class RotationForm(Form):
    """A new secret, and how long the old one stays valid."""

    which_secret = RadioField(
        _l("New secret"),
        choices=[choice(GENERATED.value, _l("Generated")), choice(OWN, _l("My own"))],
        default=GENERATED.value,
    )
    secret = PasswordField(_l("Own secret"))
    overlap_hours = SelectField(
        _l("The old secret stays valid for"),
        choices=[
            choice("0", _l("No time: it ends at once")),
            choice("1", _l("1 hour")),
            choice("24", _l("24 hours")),
            choice("72", _l("3 days")),
            choice("168", _l("7 days")),
        ],
        default=str(secrets.OVERLAP_HOURS),
    )


@bp.get("/signature")
def show(webhook_id: str) -> str:
    """How this webhook's requests are signed; right after a rotation with the new secret, once."""
    webhook = access.load(me(), webhook_id)
    if htmx.target == "signing-secret":
        return render_template("signatures/_secret.html", webhook=webhook, form=RevealForm(formdata=None), text=None)
    return _page(webhook, new=new_secrets.tell_once(webhook))


@bp.post("/reveals")
def reveal(webhook_id: str) -> Response | tuple[str, int]:
    """Show the secret to who knows the password, for half a minute. It is in this answer alone."""
    webhook = access.load(me(), webhook_id)
    form = RevealForm()
    done = run(form, lambda: _revealed(webhook, form))
    text = done.value if done else None
    if htmx:
        part = render_template(
            "signatures/_secret.html", webhook=webhook, form=form, text=text, hides_after_s=HIDES_AFTER_S
        )
        return part, 200 if done else 422
    response = make_response(_page(webhook, reveal_form=form, text=text), 200 if done else 422)
    if done:
        response.headers["Refresh"] = f"{HIDES_AFTER_S}; url={url_for('.show', webhook_id=webhook.id)}"
    return response


@bp.get("/rotations/new")
def new_rotation(webhook_id: str) -> str:
    """The form of a new secret, for browsers without dialogs."""
    return _rotation_page(access.load(me(), webhook_id), RotationForm(formdata=None))


@bp.post("/rotations")
def rotate(webhook_id: str) -> Response | tuple[str, int]:
    """Give the webhook a new secret, or its first one; the next page shows it once."""
    webhook = access.load(me(), webhook_id)
    form = RotationForm()
    done = run(form, lambda: _rotated(webhook, form))
    if done is None:
        return _rotation_page(webhook, form), 422
    new_secrets.remember(webhook)
    return redirect(url_for(".show", webhook_id=webhook.id), 303)


@bp.post("/rotations/end")
def end_overlap(webhook_id: str) -> Response:
    """The old secret is worthless from now on."""
    webhook = access.load(me(), webhook_id)
    secrets.end_overlap(webhook, by=me())
    flash(_("The old secret is not valid any more."), "success")
    return redirect(url_for(".show", webhook_id=webhook.id), 303)


@bp.get("/secret/removal")
def confirm_removal(webhook_id: str) -> str:
    """What removing the secret means, before it is done."""
    return render_template("signatures/removal.html", webhook=access.load(me(), webhook_id))


@bp.post("/secret/removal")
def remove(webhook_id: str) -> Response:
    """Requests are unsigned from now on."""
    webhook = access.load(me(), webhook_id)
    secrets.remove(webhook, by=me())
    flash(_("The secret is removed. Requests are unsigned."), "success")
    return redirect(url_for(".show", webhook_id=webhook.id), 303)


def _revealed(webhook: Webhook, form: RevealForm) -> str:
    sign_in.confirm(me(), form.password.data or "", address=request.remote_addr or "")
    try:
        compression.forbid()
        return secrets.reveal(webhook, by=me())
    except Conflict as error:
        raise Invalid("password", error.template, **error.values) from None


def _rotated(webhook: Webhook, form: RotationForm) -> str:
    chosen = form.secret.data or "" if form.which_secret.data == OWN else GENERATED
    return secrets.rotate(webhook, by=me(), secret=chosen, overlap_hours=int(form.overlap_hours.data or 0))


def _rotation_page(webhook: Webhook, form: RotationForm) -> str:
    return webhook_pages.page(
        "signatures/rotation.html", webhook, rotation=form, old_until=words.old_secret_until(webhook, utc_now())
    )


def _page(
    webhook: Webhook,
    *,
    reveal_form: RevealForm | None = None,
    new: str | None = None,
    text: str | None = None,
) -> str:
    return webhook_pages.page(
        "signatures/show.html",
        webhook,
        form=reveal_form or RevealForm(formdata=None),
        rotation=RotationForm(formdata=None),
        check=CheckForm(formdata=None),
        new=new,
        text=text,
        hides_after_s=HIDES_AFTER_S,
        old_until=words.old_secret_until(webhook, utc_now()),
        example=last_deliveries.of(me(), webhook),
        meanings=MEANINGS,
        own_headers=headers.names(webhook) or [],
        samples=code_samples.samples(url_for(".show", webhook_id=webhook.id)),
        tolerance=TOLERANCE,
    )
