"""The people of this installation, for its operators. For everybody else this page does not exist."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response
from wtforms import EmailField, StringField

from webapp.accounts import links as one_time_links
from webapp.accounts import operating, succession
from webapp.models import Conflict, NotFound, User
from webapp.web import links
from webapp.web.errors import ask_to_sign_in, said
from webapp.web.forms import Form, Required, run
from webapp.web.forms import lazy_text as _l
from webapp.web.loading import me
from webapp.web.person import person

bp = Blueprint("users", __name__, url_prefix="/admin/users")


class UserForm(Form):
    """Somebody new."""

    name = StringField(_l("Name"), [Required()])
    email = EmailField(_l("E-mail"), [Required()])


@bp.before_request
def only_operators() -> Response | None:
    """Signed-out people sign in first; for all but operators there is nothing here."""
    known = person()
    if known is None:
        return ask_to_sign_in()
    if not known.is_operator:
        raise NotFound("There is no such page.")
    return None


@bp.get("")
def index() -> str:
    """Everybody."""
    return render_template("users/index.html", rows=operating.everybody(), me=me())


@bp.get("/new")
def new() -> str:
    """The form of a new person."""
    return _new(UserForm(formdata=None))


@bp.post("")
def create() -> tuple[str, int]:
    """Add somebody; the link by which they choose a password is in this answer alone."""
    form = UserForm()
    done = run(form, lambda: operating.add(form.name.data or "", form.email.data or "", by=me()))
    if done is None:
        return _new(form), 422
    return _link(*done.value), 201


@bp.post("/<user_id>/links")
def create_link(user_id: str) -> tuple[str, int]:
    """One more link by which somebody chooses a password."""
    user = operating.load(user_id)
    return _link(user, operating.give_link(user, by=me())), 201


@bp.post("/<user_id>/operator")
def update_operator(user_id: str) -> Response:
    """Make somebody an operator, or no longer one."""
    user, is_operator = operating.load(user_id), request.form.get("value") == "1"
    return _done(lambda: operating.set_operator(user, is_operator, by=me()), _("Saved."))


@bp.post("/<user_id>/sessions")
def end_sessions(user_id: str) -> Response:
    """Sign somebody out everywhere."""
    user = operating.load(user_id)
    told = _("%(name)s is signed out everywhere.", name=user.name)
    return _done(lambda: operating.sign_out(user, by=me()), told)


@bp.get("/<user_id>/suspension")
def confirm_suspension(user_id: str) -> str:
    """Ask before somebody is suspended."""
    user = operating.load(user_id)
    return render_template("users/suspension.html", user=user, has=succession.belongings(user))


@bp.post("/<user_id>/suspension")
def suspend(user_id: str) -> Response:
    """Suspend somebody, or let them in again."""
    user = operating.load(user_id)
    if request.form.get("value") == "0":
        told = _("%(name)s may sign in again.", name=user.name)
        return _done(lambda: operating.unsuspend(user, by=me()), told)
    return _done(lambda: operating.suspend(user, by=me()), _("%(name)s is suspended.", name=user.name))


@bp.get("/<user_id>/deletion")
def confirm_deletion(user_id: str) -> str:
    """Ask before somebody is deleted, and say what goes."""
    user = operating.load(user_id)
    return render_template("users/deletion.html", user=user, has=succession.belongings(user))


@bp.post("/<user_id>/deletion")
def delete(user_id: str) -> Response:
    """Delete somebody."""
    user = operating.load(user_id)
    told = _("%(name)s is deleted.", name=user.name)
    return _done(lambda: operating.delete(user, by=me()), told)


def _new(form: UserForm) -> str:
    return render_template("users/new.html", form=form, is_mailed=one_time_links.can_be_mailed())


def _link(user: User, token: str) -> str:
    link = links.absolute("password_resets.edit", token=token)
    return render_template("users/link.html", user=user, link=link, is_mailed=one_time_links.can_be_mailed())


def _done(act: Callable[[], object], told: str) -> Response:
    try:
        act()
    except Conflict as error:
        flash(said(error), "danger")
    else:
        flash(told, "success")
    return redirect(url_for(".index"), 303)
