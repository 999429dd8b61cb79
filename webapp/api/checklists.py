"""Checklists of a record, and their items."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import url_for

from webapp.api.authentication import caller
from webapp.api.resource import Resource
from webapp.api.schemas import checklists as shapes
from webapp.models import Checklist
from webapp.workspace import access, checklists

bp = Resource("checklists", "Steps to tick off on a record, and their items.")


@bp.call("GET", "/records/<record_id>/checklists", "listChecklists")
@bp.gives(200, shapes.ChecklistList, example={"items": [shapes.SHOWN]})
def index(record_id: str) -> dict[str, Any]:
    """List the checklists of a record with their items, in their order."""
    return {"items": checklists.of(access.load_record(record_id, caller()))}


@bp.call("POST", "/records/<record_id>/checklists", "createChecklist")
@bp.takes(shapes.ChecklistBody, example=shapes.EXAMPLE)
@bp.gives(201, shapes.ChecklistShown, example=shapes.SHOWN | {"items": []})
def create(values: Mapping[str, Any], record_id: str) -> tuple[Checklist, int, dict[str, str]]:
    """Add a checklist to a record. Publishes TODO_CHECKLIST_CREATED."""
    checklist = checklists.create(values["title"], record=access.load_record(record_id, caller()), by=caller())
    return checklist, 201, {"Location": url_for("api_checklists.show", checklist_id=checklist.id)}


@bp.call("GET", "/checklists/<checklist_id>", "readChecklist")
@bp.gives(200, shapes.ChecklistShown, example=shapes.SHOWN)
def show(checklist_id: str) -> Checklist:
    """Read one checklist with its items."""
    return access.load_checklist(checklist_id, caller())


@bp.call("PATCH", "/checklists/<checklist_id>", "renameChecklist")
@bp.takes(shapes.ChecklistBody, example=shapes.EXAMPLE)
@bp.gives(200, shapes.ChecklistShown, example=shapes.SHOWN)
def edit(values: Mapping[str, Any], checklist_id: str) -> Checklist:
    """Rename a checklist. Another title publishes TODO_CHECKLIST_NAME_CHANGED."""
    checklist = access.load_checklist(checklist_id, caller())
    checklists.rename(checklist, values["title"], by=caller())
    return checklist


@bp.call("DELETE", "/checklists/<checklist_id>", "deleteChecklist")
@bp.gives(204)
def delete(checklist_id: str) -> None:
    """Delete a checklist. Publishes TODO_CHECKLIST_DELETED; its items go along without events of their own."""
    checklists.delete(access.load_checklist(checklist_id, caller()), by=caller())
