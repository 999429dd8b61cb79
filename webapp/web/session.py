"""Signing in and out, and what a session is: a ticket in a signed cookie."""

from __future__ import annotations

import hashlib

from flask import Blueprint, Response, current_app, make_response, redirect, render_template, request, session, url_for
from flask_login import login_user, logout_user
from itsdangerous import BadData, URLSafeSerializer
from werkzeug.wrappers import Response as AnyResponse
from wtforms import BooleanField, EmailField, PasswordField

from webapp.accounts import links, sign_in
from webapp.accounts.sign_in import WrongPassword
from webapp.models import TooMany, User
from webapp.models.addresses import address_of
from webapp.models.base import new_uid
from webapp.request_extensions import login
from webapp.web.errors import said
from webapp.web.forms import Form, Required
from webapp.web.forms import lazy_text as _l
from webapp.web.person import person
from webapp.web.redirects import next_path

DEVICE_COOKIE = "device"
DEVICE_SECONDS = 365 * 24 * 3600

bp = Blueprint("session", __name__)
login.user_loader(sign_in.holder)


class SignInForm(Form):
    """Who one says to be."""

    email = EmailField(_l("E-mail"), [Required()])
    password = PasswordField(_l("Password"), [Required()])
    remember = BooleanField(_l("Stay signed in"))


@bp.get("/login")
def new() -> AnyResponse | str:
    """The sign-in page; who is signed in goes on to where they wanted to go."""
    if person():
        return redirect(next_path("/projects"), 303)
    return _page(SignInForm())


@bp.post("/login")
def create() -> AnyResponse:
    """Sign in, and go on to where one wanted to go."""
    form = SignInForm()
    email, password = form.email.data or "", form.password.data or ""
    try:
        found = sign_in.sign_in(email, password, address=request.remote_addr or "", device=_device(email))
    except WrongPassword as error:
        return _refused(form, said(error), 422)
    except TooMany as error:
        response = _refused(form, said(error), 429)
        response.headers["Retry-After"] = str(error.retry_after_s)
        return response
    begin(found, is_kept=bool(form.remember.data))
    return _remember_device(redirect(next_path("/projects"), 303), email)


@bp.post("/logout")
def destroy() -> AnyResponse:
    """End this session here and now; copies of its cookie are worthless."""
    ticket = session.get("_user_id", "")
    session.clear()
    logout_user()
    if ticket:
        sign_in.sign_out(ticket)
    return redirect(url_for("session.new"), 303)


def begin(found: User, *, is_kept: bool = False) -> None:
    """Begin a new session for this person; nothing of the one before is left."""
    session.clear()
    login_user(found, remember=is_kept)
    session["_user_id"] = sign_in.ticket(found)
    session.permanent = True


def is_kept() -> bool:
    """Whether this browser stays signed in."""
    return current_app.config["REMEMBER_COOKIE_NAME"] in request.cookies


def _refused(form: SignInForm, sentence: str, status: int) -> Response:
    form.form_errors.append(sentence)
    return make_response(_page(form), status)


def _page(form: SignInForm) -> str:
    return render_template("session/new.html", form=form, can_reset=links.can_be_mailed())


def _device(email: str) -> str:
    """The id of this browser, if the same person signed in with it before: its tries are counted apart."""
    try:
        whose, device = _devices().loads(request.cookies.get(DEVICE_COOKIE, ""))
    except (BadData, ValueError, TypeError):
        return ""
    return str(device) if whose == _digest(email) else ""


def _remember_device(response: AnyResponse, email: str) -> AnyResponse:
    response.set_cookie(
        DEVICE_COOKIE,
        _devices().dumps([_digest(email), _device(email) or new_uid()]),
        max_age=DEVICE_SECONDS,
        httponly=True,
        samesite="Lax",
        secure=current_app.config["SESSION_COOKIE_SECURE"],
        path=url_for("session.create"),
    )
    return response


def _devices() -> URLSafeSerializer:
    return URLSafeSerializer(current_app.config["SECRET_KEY"], salt="device")


def _digest(email: str) -> str:
    return hashlib.sha256(address_of(email).encode("utf-8", "surrogatepass")).hexdigest()
