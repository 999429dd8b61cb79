"""Custom fields of a project."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import url_for

from webapp.api.authentication import caller
from webapp.api.resource import Resource
from webapp.api.schemas import custom_fields as shapes
from webapp.models import CustomField
from webapp.workspace import access, custom_fields
from webapp.workspace.custom_fields import Definition, FieldChanges

bp = Resource("custom-fields", "What the records of a project hold beside their own values.")


@bp.call("GET", "/projects/<project_id>/custom-fields", "listCustomFields")
@bp.gives(200, shapes.FieldList, example={"items": [shapes.SHOWN | {"records": 87}]})
def index(project_id: str) -> dict[str, Any]:
    """List the custom fields of a project in their order, and how many records have a value in each."""
    uses = custom_fields.of(access.load_project(project_id, caller()))
    return {"items": [shapes.shown(use.field) | {"records": use.records} for use in uses]}


@bp.call("POST", "/projects/<project_id>/custom-fields", "createCustomField")
@bp.takes(shapes.FieldBody, example=shapes.EXAMPLE)
@bp.gives(201, shapes.FieldShown, example=shapes.SHOWN)
def create(values: Mapping[str, Any], project_id: str) -> tuple[CustomField, int, dict[str, str]]:
    """Add a custom field behind the others. Publishes CUSTOM_FIELD_CREATED. Needs the role Member."""
    project = access.load_project(project_id, caller())
    definition = Definition(**{name: value for name, value in values.items() if name != "kind"})
    field = custom_fields.create(values["kind"], definition, project=project, by=caller())
    return field, 201, {"Location": url_for("api_custom-fields.show", field_id=field.id)}


@bp.call("GET", "/custom-fields/<field_id>", "readCustomField")
@bp.gives(200, shapes.FieldShown, example=shapes.SHOWN)
def show(field_id: str) -> CustomField:
    """Read one custom field."""
    return custom_fields.load(field_id, caller())


@bp.call("PATCH", "/custom-fields/<field_id>", "changeCustomField")
@bp.takes(shapes.FieldPatch, example=shapes.PATCH)
@bp.gives(200, shapes.FieldShown, example=shapes.SHOWN)
def edit(values: FieldChanges, field_id: str) -> CustomField:
    """Change a custom field. A difference, also of an option, publishes CUSTOM_FIELD_UPDATED. For administrators.

    Values whose option goes are removed, without events of their own.
    """
    field = custom_fields.load(field_id, caller())
    custom_fields.edit(field, values, by=caller())
    return field


@bp.call("DELETE", "/custom-fields/<field_id>", "deleteCustomField")
@bp.gives(204)
def delete(field_id: str) -> None:
    """Delete a custom field with all its values. Publishes CUSTOM_FIELD_DELETED. For administrators."""
    custom_fields.delete(custom_fields.load(field_id, caller()), by=caller())
