"""The items of a checklist: the values of one, and who cares for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import url_for

from webapp.api.authentication import caller
from webapp.api.resource import Resource
from webapp.api.schemas import checklists as shapes
from webapp.models import ChecklistItem
from webapp.workspace import access, checklist_items
from webapp.workspace.checklist_items import ItemChanges

bp = Resource("checklist-items", "The single steps of a checklist.")


@bp.call("POST", "/checklists/<checklist_id>/items", "createChecklistItem")
@bp.takes(shapes.ChecklistItemBody, example=shapes.ITEM)
@bp.gives(201, shapes.ChecklistItemShown, example=shapes.ITEM_SHOWN | {"duedAt": None, "assignees": []})
def create(values: Mapping[str, Any], checklist_id: str) -> tuple[ChecklistItem, int, dict[str, str]]:
    """Add an item to a checklist. Publishes TODO_CHECKLIST_ITEM_CREATED."""
    checklist = access.load_checklist(checklist_id, caller())
    item = checklist_items.create(values["title"], checklist=checklist, by=caller())
    return item, 201, {"Location": url_for("api_checklist-items.show", item_id=item.id)}


@bp.call("GET", "/checklist-items/<item_id>", "readChecklistItem")
@bp.gives(200, shapes.ChecklistItemShown, example=shapes.ITEM_SHOWN)
def show(item_id: str) -> ChecklistItem:
    """Read one item."""
    return access.load_checklist_item(item_id, caller())


@bp.call("PATCH", "/checklist-items/<item_id>", "changeChecklistItem")
@bp.takes(shapes.ChecklistItemPatch, example=shapes.ITEM_PATCH)
@bp.gives(200, shapes.ChecklistItemShown, example=shapes.ITEM_SHOWN | {"done": True})
def edit(values: ItemChanges, item_id: str) -> ChecklistItem:
    """Change an item: title, done, dates, people. Each kind of change publishes its event."""
    item = access.load_checklist_item(item_id, caller())
    checklist_items.edit(item, values, by=caller())
    return item


@bp.call("DELETE", "/checklist-items/<item_id>", "deleteChecklistItem")
@bp.gives(204)
def delete(item_id: str) -> None:
    """Delete an item. Publishes TODO_CHECKLIST_ITEM_DELETED."""
    checklist_items.delete(access.load_checklist_item(item_id, caller()), by=caller())


@bp.call("PUT", "/checklist-items/<item_id>/assignees", "putChecklistItemAssignees")
@bp.takes(shapes.AssigneesBody, example=shapes.PEOPLE)
@bp.gives(200, shapes.ChecklistItemShown, example=shapes.ITEM_SHOWN)
def update_assignees(values: ItemChanges, item_id: str) -> ChecklistItem:
    """Let exactly these people care for an item. Publishes one event for those who are new, one for those who go."""
    item = access.load_checklist_item(item_id, caller())
    checklist_items.edit(item, values, by=caller())
    return item
