"""The first run: while there is nobody, every page leads here. Afterwards this page does not exist."""

from __future__ import annotations

import hmac

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response
from wtforms import BooleanField, EmailField, PasswordField, SelectField, StringField

from webapp.accounts import guessing, people
from webapp.config import current
from webapp.models import Invalid, NotFound, Project, User
from webapp.web.forms import Form, Required, choice, run, time_zones
from webapp.web.forms import lazy_text as _l
from webapp.web.person import LOCALES, browser_time_zone, locale
from webapp.web.session import begin

CODE_SETTING = "SETUP_CODE"  # what was printed at start; None = not asked (the server listens on loopback only)
DEMO = "demo"  # fills the installation for the person given; create_app() puts it there
HAS_PEOPLE = "setup.has_people"
FOR_PROGRAMS = ("/api/", "/static/", "/inbox/", "/healthz", "/readyz", "/metrics")

bp = Blueprint("setup", __name__)


class SetupForm(Form):
    """The first person, their company and project."""

    name = StringField(_l("Your name"), [Required()])
    email = EmailField(_l("E-mail"), [Required()])
    password = PasswordField(_l("Password"), [Required()])
    company = StringField(_l("Company"), [Required()], default=_l("Acme"))
    project = StringField(_l("First project"), [Required()], default=_l("My first project"))
    locale = SelectField(_l("Language"), choices=[choice(*each) for each in LOCALES.items()])
    time_zone = SelectField(_l("Time zone"), choices=lambda: [choice("", _as_the_browser_says()), *time_zones()])
    demo = BooleanField(_l("Fill with demo data (people, records, a webhook in each state)"))
    code = StringField(_l("Code printed where you started “webapp up”"), [Required()])

    @classmethod
    def here(cls) -> SetupForm:
        """The form as this browser needs it: its language chosen, the code only where it is asked."""
        form = cls(locale=locale(), time_zone="")
        if current_app.config.get(CODE_SETTING) is None:
            del form.code
        if not current().base_url:
            del form.demo  # its webhooks send to inboxes of this installation, whose address is not known
        return form


@bp.before_app_request
def lead_here() -> Response | None:
    """While there is nobody, every page leads to the first run."""
    if request.blueprint == bp.name or request.path.startswith(FOR_PROGRAMS) or _has_people():
        return None
    return redirect(url_for("setup.new"), 303)


@bp.get("/setup")
def new() -> str:
    """The form of the first run."""
    _only_first()
    return render_template("setup/new.html", form=SetupForm.here())


@bp.post("/setup")
def create() -> Response | tuple[str, int]:
    """Make the first person and what they begin with, and sign them in."""
    _only_first()
    form = SetupForm.here()
    done = run(form, lambda: _set_up(form))
    if done is None:
        return render_template("setup/new.html", form=form), 422
    person, _project = done.value
    if form.demo and form.demo.data:
        current_app.extensions[DEMO](person)
    begin(person)
    flash(_("Welcome! Everything is ready. Add a webhook to be told of changes."), "success")
    is_there = "webhooks.index" in current_app.view_functions
    return redirect(url_for("webhooks.index" if is_there else "projects.index"), 303)


def _as_the_browser_says() -> str:
    zone = browser_time_zone()
    return _("Browser: %(zone)s", zone=zone) if zone else _("As the browser says")


def _set_up(form: SetupForm) -> tuple[User, Project]:
    _check_code(form)
    values = people.FirstRun(
        name=form.name.data or "",
        email=form.email.data or "",
        password=form.password.data or "",
        company=form.company.data or "",
        project=form.project.data or "",
        locale=form.locale.data or "",
        time_zone=form.time_zone.data or "",
    )
    return people.set_up(values)


def _check_code(form: SetupForm) -> None:
    code = current_app.config.get(CODE_SETTING)
    if code is None:
        return
    guessing.count_try("the code of the first run", address=request.remote_addr or "")
    if not hmac.compare_digest((form.code.data or "").strip().encode(), str(code).encode()):
        raise Invalid("code", "That is not the code.")


def _only_first() -> None:
    if _has_people():
        raise NotFound("This installation is set up already.")


def _has_people() -> bool:
    """Whether there is somebody. Once there is, the database is not asked again."""
    if not current_app.extensions.get(HAS_PEOPLE):
        current_app.extensions[HAS_PEOPLE] = not people.is_empty()
    return bool(current_app.extensions[HAS_PEOPLE])
