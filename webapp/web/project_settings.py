"""The settings of a project: what it is called, archiving, deleting."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response
from wtforms import SelectField, StringField

from webapp.models import Project
from webapp.web import loading
from webapp.web.forms import Form, Required, choice, run
from webapp.web.forms import lazy_text as _l
from webapp.web.loading import for_people, me
from webapp.web.projects import ProjectForm
from webapp.workspace import access, companies, projects

bp = for_people(Blueprint("project_settings", __name__, url_prefix="/projects/<project_id>"))

CATEGORIES = {
    "GENERAL": _l("General"),
    "CRM": _l("Customers"),
    "CROSS_FUNCTIONAL": _l("Across teams"),
    "DESIGN": _l("Design"),
    "ENGINEERING": _l("Engineering"),
    "HR": _l("Human resources"),
    "IT": _l("IT"),
    "MARKETING": _l("Marketing"),
    "OPERATIONS": _l("Operations"),
    "PRODUCT": _l("Product"),
    "SALES": _l("Sales"),
}


class SettingsForm(ProjectForm):
    """What a project is called, and what it is about."""

    category = SelectField(_l("Category"), validate_choice=False)

    @classmethod
    def of(cls, project: Project) -> SettingsForm:
        """The form as the project is."""
        values = {name: getattr(project, name) for name in ("name", "slug", "description", "category")}
        return cls(formdata=None, data=values)


class DeletionForm(Form):
    """The name of the project, typed."""

    typed_name = StringField(_l("Name of the project"), [Required()])


@bp.get("/settings")
def edit(project_id: str) -> str:
    """What a project is called."""
    project = loading.project(project_id)
    return _page(project, SettingsForm.of(project))


@bp.post("/settings")
def update(project_id: str) -> Response | tuple[str, int]:
    """Change what a project is called."""
    project, form = loading.project(project_id), SettingsForm()
    values = {"name": form.name.data or "", "slug": form.slug.data or "", "description": form.description.data or ""}
    category = form.category.data or None
    if run(form, lambda: projects.edit(project, by=me(), category=category, **values)) is None:
        return _page(project, form), 422
    flash(_("Saved."), "success")
    return _to_settings(project_id)


@bp.get("/archive")
def confirm_archive(project_id: str) -> str:
    """Ask before a project is archived."""
    return render_template("project_settings/archive.html", project=_mine(project_id))


@bp.post("/archive")
def archive(project_id: str) -> Response:
    """Make a project read-only."""
    projects.archive(loading.project(project_id), by=me())
    flash(_("The project is archived."), "success")
    return _to_settings(project_id)


@bp.post("/archive/end")
def unarchive(project_id: str) -> Response:
    """Let people work in it again."""
    projects.unarchive(loading.project(project_id), by=me())
    flash(_("The project is back."), "success")
    return _to_settings(project_id)


@bp.get("/deletion")
def confirm_deletion(project_id: str) -> str:
    """Ask for the name before a project is deleted, and say what goes."""
    return _deletion(_mine(project_id), DeletionForm(formdata=None))


@bp.post("/deletion")
def delete(project_id: str) -> Response | tuple[str, int]:
    """Delete a project."""
    project, form = loading.project(project_id), DeletionForm()
    name = project.name
    if run(form, lambda: projects.delete(project, form.typed_name.data or "", by=me())) is None:
        return _deletion(project, form), 422
    flash(_("The project “%(name)s” is deleted.", name=name), "success")
    return redirect(url_for("projects.index"), 303)


def _mine(project_id: str) -> Project:
    project = loading.project(project_id)
    access.demand(project, me(), "edit_project")
    return project


def _page(project: Project, form: SettingsForm) -> str:
    form.category.choices = [choice(*each) for each in CATEGORIES.items()]
    if project.category not in CATEGORIES:
        form.category.choices.append(choice(project.category, project.category))
    may_edit = access.may(access.role_in(project, me()), "edit_project")
    in_company = companies.role_in(project.company, me()) is not None
    return render_template(
        "project_settings/edit.html", project=project, form=form, may_edit=may_edit, in_company=in_company
    )


def _deletion(project: Project, form: DeletionForm) -> str:
    return render_template(
        "project_settings/deletion.html", project=project, form=form, goes=projects.what_goes(project)
    )


def _to_settings(project_id: str) -> Response:
    return redirect(url_for(".edit", project_id=project_id), 303)
