"""A forgotten password: asking for a link by mail, and choosing a new one by it."""

from __future__ import annotations

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response
from wtforms import EmailField, PasswordField

from webapp.accounts import links as one_time_links
from webapp.models import NotFound
from webapp.web import compression, links
from webapp.web.errors import said
from webapp.web.forms import Form, Required, run
from webapp.web.forms import lazy_text as _l
from webapp.web.session import begin

bp = Blueprint("password_resets", __name__, url_prefix="/password-resets")
bp.before_request(compression.forbid)  # the address of each page is a secret


class AddressForm(Form):
    """Whose password is lost."""

    email = EmailField(_l("E-mail"), [Required()])


class NewPasswordForm(Form):
    """The new password."""

    new = PasswordField(_l("New password"), [Required()])


@bp.get("")
def new() -> str:
    """Ask for a link; only where this installation sends mail."""
    if not one_time_links.can_be_mailed():
        raise NotFound(one_time_links.OVER)
    return render_template("password_resets/new.html", form=AddressForm(formdata=None))


@bp.post("")
@links.limited
def create() -> str | tuple[str, int]:
    """Owe the mail. The answer is the same whether or not somebody here has the address."""
    form = AddressForm()
    email = form.email.data or ""
    done = run(form, lambda: one_time_links.ask_for_reset(email, address=request.remote_addr or ""))
    if done is None:
        return render_template("password_resets/new.html", form=form), 422
    return render_template("password_resets/asked.html", email=email.strip())


@bp.get("/<token>")
@links.limited
def edit(token: str) -> str:
    """The form of the new password."""
    return _page(token, NewPasswordForm(formdata=None))


@bp.post("/<token>")
@links.limited
def update(token: str) -> Response | tuple[str, int]:
    """Set the password, end all sessions, and begin one here."""
    form = NewPasswordForm()
    done = run(form, lambda: one_time_links.choose_password(token, form.new.data or ""))
    if done is None:
        return _page(token, form), 422
    begin(done.value)
    flash(_("Your password is changed. All other sessions were signed out."), "success")
    return redirect(url_for("projects.index"), 303)


@bp.errorhandler(NotFound)
def not_valid(error: NotFound) -> Response:
    """One answer for what was used, is too old or never was one."""
    return make_response(render_template("password_resets/over.html", sentence=said(error)), 404)


def _page(token: str, form: NewPasswordForm) -> str:
    person = one_time_links.holder(token)
    return render_template("password_resets/edit.html", form=form, token=token, email=person.email)
