"""Custom fields of a project, in its settings: what they are called, what they hold, what people choose in them."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from webapp.models import CustomField, FieldKind, Project
from webapp.web import loading
from webapp.web.field_forms import KINDS, FieldForm
from webapp.web.forms import run
from webapp.web.loading import for_people, me
from webapp.workspace import access, custom_fields, field_rules

bp = for_people(Blueprint("custom_fields", __name__))

STEPS = {"up": -1, "down": 1}


@bp.get("/projects/<project_id>/fields")
def index(project_id: str) -> str:
    """The custom fields of a project."""
    project = loading.project(project_id)
    role = access.role_in(project, me())
    return render_template(
        "custom_fields/index.html",
        project=project,
        uses=custom_fields.of(project),
        kinds=KINDS,
        rights=set() if project.archived else access.rights(role),
    )


@bp.get("/projects/<project_id>/fields/new")
def new(project_id: str) -> Response | str:
    """The form for a field of the kind in the address."""
    project, kind = loading.project(project_id), request.args.get("kind", "")
    access.demand(project, me(), "add_fields")
    if kind not in set(FieldKind):
        return _back(project)
    return _new(project, FieldForm.of_kind(FieldKind(kind)))


@bp.post("/projects/<project_id>/fields")
def create(project_id: str) -> Response | tuple[str, int]:
    """Add a field."""
    project = loading.project(project_id)
    kind = field_rules.kind(request.form.get("kind", ""))
    form = FieldForm.of_kind(kind)
    done = run(form, lambda: custom_fields.create(kind, form.definition, project=project, by=me()), fields=form.fields)
    if done is None:
        return _new(project, form), 422
    flash(_("The field is added."), "success")
    return _back(project)


@bp.get("/fields/<field_id>")
def edit(field_id: str) -> str:
    """A field, to change."""
    field = custom_fields.load(field_id, me())
    access.demand(field.project, me(), "edit_fields")
    return _edit(field, FieldForm.of(field))


@bp.post("/fields/<field_id>")
def update(field_id: str) -> Response | tuple[str, int]:
    """Change what a field is called, its limits, its options."""
    field = custom_fields.load(field_id, me())
    form = FieldForm.of_kind(field.kind)
    if run(form, lambda: custom_fields.edit(field, form.changes, by=me()), fields=form.fields) is None:
        return _edit(field, form), 422
    flash(_("Saved."), "success")
    return _back(field.project)


@bp.post("/fields/<field_id>/order")
def shift(field_id: str) -> Response:
    """One place up or down."""
    field = custom_fields.load(field_id, me())
    custom_fields.shift(field, STEPS.get(request.form.get("to", ""), 0), by=me())
    return _back(field.project)


@bp.get("/fields/<field_id>/delete")
def confirm(field_id: str) -> str:
    """Ask before a field is deleted with all its values."""
    field = custom_fields.load(field_id, me())
    access.demand(field.project, me(), "edit_fields")
    records = next(use.records for use in custom_fields.of(field.project) if use.field.id == field.id)
    return render_template("custom_fields/delete.html", field=field, project=field.project, records=records)


@bp.post("/fields/<field_id>/delete")
def delete(field_id: str) -> Response:
    """Delete a field."""
    field = custom_fields.load(field_id, me())
    project, name = field.project, field.name
    custom_fields.delete(field, by=me())
    flash(_("The field “%(name)s” is deleted.", name=name), "success")
    return _back(project)


def _new(project: Project, form: FieldForm) -> str:
    return render_template("custom_fields/new.html", project=project, form=form, kinds=KINDS)


def _edit(field: CustomField, form: FieldForm) -> str:
    shown = {"field_id": field.id, "field_name": field.name, "project": field.project, "kinds": KINDS}
    return render_template("custom_fields/edit.html", form=form, **shown)


def _back(project: Project) -> Response:
    return redirect(url_for(".index", project_id=project.id), 303)
