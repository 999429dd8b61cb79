"""Checklists and their items as callers write and read them."""

from __future__ import annotations

from marshmallow import fields

from webapp.api.schemas.base import Flag, Instant, Shape, Text, Texts
from webapp.api.schemas.people import PERSON, PersonShown

ASSIGNEES = {"description": "ids of members of the project: all that it shall have"}
DATE = {
    "description": "a moment such as 2026-05-08T16:00:00Z; or a day, or a moment without a zone, in the record's time "
    "zone; null for none"
}
MOMENTS = {"createdAt": "2026-05-04T12:00:00.000Z", "updatedAt": "2026-05-04T12:00:00.000Z"}
EXAMPLE = {"title": "Before it goes live"}
ITEM = {"title": "Check every link"}
ITEM_PATCH = {"done": True, "duedAt": "2026-05-08T16:00:00.000Z"}
PEOPLE = {"assigneeIds": [PERSON["id"]]}
ITEM_SHOWN = {
    "id": "cmb2k8f0a0006jo6w8z1b2c3d",
    "checklistId": "cmb2k8f0a0005jo6w8z1b2c3d",
    **ITEM,
    "done": False,
    "startedAt": None,
    "duedAt": "2026-05-08T16:00:00.000Z",
    "assignees": [PERSON],
    **MOMENTS,
}
SHOWN = {
    "id": "cmb2k8f0a0005jo6w8z1b2c3d",
    "recordId": "cmb2k8f0a0003jo6w8z1b2c3d",
    **EXAMPLE,
    "items": [ITEM_SHOWN],
    **MOMENTS,
}


class ChecklistBody(Shape):
    """What a checklist is called."""

    title = Text(required=True)


class ChecklistItemBody(Shape):
    """A new item."""

    title = Text(required=True)


class ChecklistItemPatch(Shape):
    """What of an item is to change; what is left out stays. Each kind of change publishes one event."""

    title = Text()
    done = Flag()
    started_at = Text(allow_none=True, metadata=DATE)
    dued_at = Text(allow_none=True, metadata=DATE)
    assignee_ids = Texts(metadata=ASSIGNEES)


class AssigneesBody(Shape):
    """Who cares for it from now on."""

    assignee_ids = Texts(required=True, metadata=ASSIGNEES)


class Assignee(PersonShown):
    """Somebody who cares for a checklist item."""

    id = Text(attribute="user.id")
    name = Text(attribute="user.name")


class ChecklistItemShown(Shape):
    """One thing to do, in a checklist."""

    id = Text()
    checklist_id = Text()
    title = Text()
    done = Flag()
    started_at = Instant(allow_none=True)
    dued_at = Instant(allow_none=True)
    assignees = fields.List(fields.Nested(Assignee))
    created_at = Instant()
    updated_at = Instant()


class ChecklistShown(Shape):
    """A checklist of a record, its items in their order."""

    id = Text()
    record_id = Text()
    title = Text()
    items = fields.List(fields.Nested(ChecklistItemShown))
    created_at = Instant()
    updated_at = Instant()


class ChecklistList(Shape):
    """The checklists of a record, in their order."""

    items = fields.List(fields.Nested(ChecklistShown))
