"""Invitations as who got one sees them: sign up, or join as who is signed in."""

from __future__ import annotations

from flask import Blueprint, flash, make_response, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response
from wtforms import PasswordField, StringField

from webapp.accounts import invitations
from webapp.models import Conflict, Invitation, NotFound
from webapp.web import compression, links
from webapp.web.errors import said
from webapp.web.forms import Form, Required, run
from webapp.web.forms import lazy_text as _l
from webapp.web.loading import me
from webapp.web.person import person
from webapp.web.roles import ROLES
from webapp.web.session import begin

bp = Blueprint("invitations", __name__, url_prefix="/invitations")
bp.before_request(compression.forbid)  # the address of each page is a secret


class SignUpForm(Form):
    """Who one is; the address is the one that was invited."""

    name = StringField(_l("Your name"), [Required()])
    password = PasswordField(_l("Password"), [Required()])


@bp.get("/<token>")
@links.limited
def show(token: str) -> str:
    """What one is invited to."""
    return _page(token, SignUpForm(formdata=None))


@bp.post("/<token>")
@links.limited
def create(token: str) -> Response | tuple[str, int]:
    """Become somebody here and join."""
    form = SignUpForm()
    project_id = invitations.load(token).project_id
    done = run(form, lambda: invitations.sign_up(token, name=form.name.data or "", password=form.password.data or ""))
    if done is None:
        return _page(token, form), 422
    begin(done.value)
    return _welcome(project_id)


@bp.post("/<token>/acceptance")
@links.limited
def accept(token: str) -> Response:
    """Join as who is signed in."""
    if person() is None:
        return redirect(url_for("session.new", next=url_for(".show", token=token)), 303)
    try:
        return _welcome(invitations.accept(token, by=me()))
    except Conflict as error:
        flash(said(error), "danger")
        return redirect(url_for(".show", token=token), 303)


@bp.errorhandler(NotFound)
def not_valid(error: NotFound) -> Response:
    """One answer for what was used, withdrawn, is too old or never was one."""
    return make_response(render_template("invitations/over.html", sentence=said(error)), 404)


def _page(token: str, form: SignUpForm) -> str:
    invitation: Invitation = invitations.load(token)
    known = person()
    return render_template(
        "invitations/show.html",
        invitation=invitation,
        token=token,
        form=form,
        role=ROLES[invitation.role],
        fits=known is not None and invitations.is_for(invitation, known),
    )


def _welcome(project_id: str) -> Response:
    flash(_("Welcome! You are a member of this project now."), "success")
    return redirect(url_for("projects.show", project_id=project_id), 303)
