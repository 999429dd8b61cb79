"""API tokens: made here, shown once, revoked here."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response
from wtforms import SelectField, StringField

from webapp import config
from webapp.accounts import tokens
from webapp.web import compression
from webapp.web.forms import Form, Required, choice, run
from webapp.web.forms import lazy_text as _l
from webapp.web.loading import for_people, me
from webapp.workspace import access

bp = for_people(Blueprint("tokens", __name__, url_prefix="/settings/api"))


class TokenForm(Form):
    """What a token is for, and how long it works."""

    name = StringField(_l("Name"), [Required()])
    expires_in_days = SelectField(
        _l("Expires"),
        choices=[
            choice("", _l("Never")),
            choice("30", _l("In 30 days")),
            choice("90", _l("In 90 days")),
            choice("365", _l("In 365 days")),
        ],
    )


@bp.get("")
def index() -> str:
    """My tokens, and how programs use them."""
    return _page(TokenForm())


@bp.post("")
def create() -> tuple[str, int]:
    """Make a token and show it, this once. It is in this answer alone: a redirect would have to keep it somewhere."""
    form = TokenForm()
    days = int(form.expires_in_days.data) if (form.expires_in_days.data or "").isdecimal() else None
    done = run(form, lambda: tokens.create(me(), form.name.data or "", days))
    if done is None:
        return _page(form), 422
    token, text = done.value
    compression.forbid()
    return render_template("tokens/created.html", token=token, text=text, address=_address()), 201


@bp.get("/<token_id>/revocation")
def confirm(token_id: str) -> str:
    """Ask before a token is revoked."""
    return render_template("tokens/revocation.html", token=tokens.load(me(), token_id))


@bp.post("/<token_id>/revocation")
def revoke(token_id: str) -> Response:
    """End a token at once."""
    token = tokens.load(me(), token_id)
    tokens.revoke(token, by=me())
    flash(_("“%(name)s” is revoked.", name=token.name), "success")
    return redirect(url_for(".index"), 303)


def _page(form: TokenForm) -> str:
    projects = access.projects_of(me())
    return render_template(
        "tokens/index.html",
        form=form,
        tokens=tokens.of(me()),
        is_over=tokens.is_over,
        address=_address(),
        project_id=projects[0].id if projects else "PROJECT_ID",
    )


def _address() -> str:
    base = config.current().base_url or request.host_url.rstrip("/")
    return f"{base}/api/v1"
