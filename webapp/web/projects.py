"""Projects: the list, a new one, the board. Their settings: `project_settings`."""

from __future__ import annotations

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse
from wtforms import SelectField, StringField, TextAreaField

from webapp.models import Company, Project
from webapp.web import board, loading
from webapp.web.forms import Form, Required, choice, run
from webapp.web.forms import lazy_text as _l
from webapp.web.loading import for_people, me
from webapp.web.roles import ROLES
from webapp.webhooks.access import by_project
from webapp.workspace import companies, projects
from webapp.workspace.projects import Overview

NEW_COMPANY = "new"

bp = for_people(Blueprint("projects", __name__))


class ProjectForm(Form):
    """What a project is called."""

    name = StringField(_l("Name"), [Required()])
    slug = StringField(_l("Short name in addresses"))
    description = TextAreaField(_l("Description"))


class NewProjectForm(ProjectForm):
    """A new project, in a company of one's own or in a new one."""

    company_id = SelectField(_l("Company"))
    company = StringField(_l("Name of the new company"))


@bp.get("/")
def root() -> AnyResponse:
    """The way in."""
    return redirect(url_for(".index"), 303)


@bp.get("/projects")
def index() -> str:
    """My projects by company."""
    search, archived = request.args.get("q", ""), request.args.get("archived") == "1"
    rows = projects.overview(me(), search=search, include_archived=archived)
    return render_template(
        "projects/index.html",
        companies=_by_company(rows),
        own_companies={company.id for company in companies.of(me())},
        webhooks=by_project(me()),
        roles=ROLES,
        search=search,
        archived=archived,
    )


@bp.get("/projects/new")
def new() -> str:
    """The form of a new project."""
    return _new(_new_form())


@bp.post("/projects")
def create() -> AnyResponse | tuple[str, int]:
    """Make a project, and its company if it is to be a new one."""
    form = _new_form()
    done = run(form, lambda: _create(form))
    if done is None:
        return _new(form), 422
    return redirect(url_for(".show", project_id=done.value.id), 303)


@bp.get("/projects/<project_id>")
def show(project_id: str) -> Response:
    """The board: lists and their records. `open` names the list whose form stays open."""
    return board.show(loading.project(project_id), keeps_open=request.args.get("open", ""))


def _by_company(rows: list[Overview]) -> list[tuple[Company, list[Overview]]]:
    """Each company once, in the order of the projects; two may have the same name."""
    found: dict[str, list[Overview]] = {}
    for row in rows:
        found.setdefault(row.project.company_id, []).append(row)
    return [(rows[0].project.company, rows) for rows in found.values()]


def _new_form() -> NewProjectForm:
    form = NewProjectForm()
    mine = [choice(company.id, company.name) for company in companies.open_to(me())]
    form.company_id.choices = [*mine, choice(NEW_COMPANY, _("New company…"))]
    return form


def _create(form: NewProjectForm) -> Project:
    return projects.create(
        form.name.data or "",
        company=_company(form),
        by=me(),
        slug=form.slug.data,
        description=form.description.data or "",
    )


def _company(form: NewProjectForm) -> Company | str:
    if form.company_id.data == NEW_COMPANY:
        return form.company.data or ""
    return companies.load(form.company_id.data, me())


def _new(form: NewProjectForm) -> str:
    return render_template("projects/new.html", form=form, new_company=NEW_COMPANY)
