"""Profile settings: what somebody is called, how they like the pages, their password and sessions."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response
from wtforms import BooleanField, EmailField, PasswordField, SelectField, StringField

from webapp.accounts import credentials, people, preferences
from webapp.web.forms import Form, Required, choice, run, time_zones
from webapp.web.forms import lazy_text as _l
from webapp.web.loading import for_people, me
from webapp.web.person import LOCALES, THEMES, browser_time_zone, time_zone
from webapp.web.session import begin, is_kept

DATE_FORMATS = {
    "": _l("As the language has it"),
    "year_first": "2026-11-25",
    "day_first": "25.11.2026",
    "month_first": "11/25/2026",
}

bp = for_people(Blueprint("profile", __name__, url_prefix="/settings/profile"))


def _with_browser(choices: list[Any]) -> list[Any]:
    return [choice("", _("As the browser says")), *choices]


class ProfileForm(Form):
    """What somebody says about themselves."""

    name = StringField(_l("Name"), [Required()])
    locale = SelectField(_l("Language"), choices=lambda: _with_browser([choice(*each) for each in LOCALES.items()]))
    time_zone = SelectField(_l("Time zone"), choices=lambda: _with_browser(time_zones()))
    date_format = SelectField(_l("Date format"), choices=[choice(*each) for each in DATE_FORMATS.items()])
    theme = SelectField(_l("Theme"), choices=[choice(*each) for each in THEMES.items()])
    has_shortcuts = BooleanField(_l("Keyboard shortcuts"))


class AddressForm(Form):
    """The new address, and the password."""

    email = EmailField(_l("New e-mail"), [Required()])
    password = PasswordField(_l("Password"), [Required()])


class PasswordForm(Form):
    """The old password and the new one."""

    old = PasswordField(_l("Old password"), [Required()])
    new = PasswordField(_l("New password"), [Required()])


@bp.get("")
def edit() -> str:
    """The profile settings."""
    return _page()


@bp.post("")
def update() -> Response | tuple[str, int]:
    """Keep what somebody says about themselves."""
    form = ProfileForm()
    done = run(
        form,
        lambda: people.edit(
            me(),
            name=form.name.data or "",
            locale=form.locale.data or "",
            time_zone=form.time_zone.data or "",
            theme=form.theme.data or "",
            date_format=form.date_format.data or "",
            has_shortcuts=bool(form.has_shortcuts.data),
        ),
    )
    if done is None:
        return _page(profile=form), 422
    flash(_("Saved."), "success")
    return redirect(url_for(".edit"), 303)


@bp.post("/time-zone")
def use_browser_time_zone() -> Response:
    """Take the time zone that the browser has."""
    preferences.choose(me(), time_zone=browser_time_zone())
    flash(_("Saved."), "success")
    return redirect(url_for(".edit"), 303)


@bp.post("/password")
def change_password() -> Response | tuple[str, int]:
    """A new password: this browser stays signed in, all others are signed out."""
    form = PasswordForm()
    values = {"old": form.old.data or "", "new": form.new.data or "", "address": request.remote_addr or ""}
    done = run(form, lambda: credentials.change_password(me(), **values))
    if done is None:
        return _page(password=form), 422
    begin(me(), is_kept=is_kept())
    flash(_("Your password is changed. All other sessions were signed out."), "success")
    return redirect(url_for(".edit"), 303)


@bp.post("/address")
def change_email() -> Response | tuple[str, int]:
    """Another address to sign in with."""
    form = AddressForm()
    email, password = form.email.data or "", form.password.data or ""
    address = request.remote_addr or ""
    if run(form, lambda: credentials.change_email(me(), email, password=password, address=address)) is None:
        return _page(address=form), 422
    flash(_("From now on you sign in with %(email)s.", email=me().email), "success")
    return redirect(url_for(".edit"), 303)


@bp.post("/sessions")
def end_sessions() -> Response:
    """Sign out everywhere, here too."""
    people.sign_out_everywhere(me())
    return redirect(url_for("session.new"), 303)


def _page(
    profile: ProfileForm | None = None, password: PasswordForm | None = None, address: AddressForm | None = None
) -> str:
    person = me()
    values = {name: getattr(person, name) for name in ("name", "locale", "time_zone", "date_format", "has_shortcuts")}
    return render_template(
        "profile/edit.html",
        profile=profile or ProfileForm(formdata=None, data={**values, "theme": person.theme or "auto"}),
        password=password or PasswordForm(formdata=None),
        address=address or AddressForm(formdata=None),
        email=person.email,
        browser_zone=browser_time_zone() if browser_time_zone() != time_zone() else "",
    )
