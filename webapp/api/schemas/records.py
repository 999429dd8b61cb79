"""Records as callers write and read them."""

from __future__ import annotations

from typing import Any

from marshmallow import fields, validate

from webapp.api.schemas.base import Flag, Instant, PageQuery, Shape, Text, Texts, next_cursor
from webapp.api.schemas.people import PERSON, PersonShown
from webapp.api.schemas.tags import ID as TAG_ID
from webapp.models import FieldKind, Record, RecordFieldValue
from webapp.workspace import field_values

DATE = {"description": "a day, a moment in `timezone` without an offset, or one with an offset; null: none"}
ASSIGNEES = {"description": "ids of members of the project: all that it shall have"}
TAGS = {"description": "ids of tags of the project; together with tagTitles all that it shall have"}
TITLES = {"description": "titles of tags; one that the project does not have makes a tag (#4a9fff)"}
VALUE = (
    "a text, URL or e-mail address; a number (NUMBER, RATING); true or false; a day; the id of an option, or a list of "
    "them (SELECT_MULTI); for money a number in the field's currency, or {amount, currency}; null: none"
)
VALUES = {"description": f"by the id of the custom field; those left out stay. Each is {VALUE}"}
PLACE = {"description": "counted from 0 among the others there; left out or null: at the bottom"}
IDS = {"description": "1 to 200 records; all are changed or none"}

OWN = (
    "id", "list_id", "title", "position", "done", "archived", "started_at", "dued_at", "timezone", "created_by_id",
    "created_at", "updated_at",
)  # fmt: skip

FIELD_ID = "cmb2k8f0a0009jo6w8z1b2c3d"
MOMENTS = {"createdAt": "2026-05-04T12:00:00.000Z", "updatedAt": "2026-05-04T12:00:00.000Z"}
PATCH = {
    "title": "Write the welcome page",
    "duedAt": "2026-05-08T18:00",
    "timezone": "Europe/Berlin",
    "tagTitles": ["Urgent"],
    "fieldValues": {FIELD_ID: "Newsletter"},
}
EXAMPLE = {"title": "Write the welcome page", "duedAt": "2026-05-08", "tagTitles": ["Urgent"], "place": "top"}
SHOWN = {
    "id": "cmb2k8f0a0003jo6w8z1b2c3d",
    "projectId": "shop",
    "listId": "cmb2k8f0a0002jo6w8z1b2c3d",
    "title": "Write the welcome page",
    "description": "",
    "position": 65535,
    "done": False,
    "archived": False,
    "startedAt": None,
    "duedAt": "2026-05-08T16:00:00.000Z",
    "timezone": "Europe/Berlin",
    "assignees": [PERSON],
    "tags": [{"id": TAG_ID, "title": "Urgent", "color": "#4a9fff"}],
    "fieldValues": [{"fieldId": FIELD_ID, "name": "Channel", "kind": "TEXT_SINGLE", "value": "Newsletter"}],
    "createdById": PERSON["id"],
    **MOMENTS,
}


class Place(fields.Integer):
    """A place among others, counted from 0."""

    def __init__(self, **options: Any) -> None:
        wrong = "Send a whole number from 0 on."
        super().__init__(
            strict=True,
            validate=validate.Range(0, 1_000_000, error=wrong),
            error_messages={"invalid": wrong},
            **options,
        )


class RecordPatch(Shape):
    """What of a record is to change; what is left out stays. Each kind of change publishes one event."""

    title = Text()
    description = Text(allow_none=True, metadata={"description": "plain text; another one publishes nothing"})
    done = Flag()
    archived = Flag(metadata={"description": "archived records stand on no board; publishes nothing"})
    started_at = Text(allow_none=True, metadata=DATE)
    dued_at = Text(allow_none=True, metadata=DATE)
    timezone = Text(allow_none=True, metadata={"description": "such as Europe/Berlin; without one UTC"})
    assignee_ids = Texts(metadata=ASSIGNEES)
    tag_ids = Texts(metadata=TAGS)
    tag_titles = Texts(metadata=TITLES)
    field_values = fields.Dict(
        keys=Text(),
        values=fields.Raw(allow_none=True),
        metadata=VALUES,
        error_messages={"invalid": "Send an object of values by the ids of custom fields."},
    )


class RecordBody(RecordPatch):
    """A new record. What it starts with publishes no events of its own, but for new tags."""

    title = Text(required=True)
    place = Text(
        load_default="bottom",
        validate=validate.OneOf(["top", "bottom"], error="Send top or bottom."),
        metadata={"description": "top or bottom of its list"},
    )


class MoveBody(Shape):
    """Where a record goes."""

    list_id = Text(required=True)
    place = Place(load_default=None, allow_none=True, metadata=PLACE)


class TagsBody(Shape):
    """The tags that a record carries from now on."""

    tag_ids = Texts(load_default=(), metadata=TAGS)
    tag_titles = Texts(load_default=(), metadata=TITLES)


class AssigneesOfRecord(Shape):
    """Who cares for a record from now on."""

    assignee_ids = Texts(required=True, metadata=ASSIGNEES)


class ValueBody(Shape):
    """The value of a custom field."""

    value = fields.Raw(required=True, allow_none=True, metadata={"description": VALUE})


class RecordIds(Shape):
    """The records that are meant."""

    record_ids = Texts(required=True, metadata=IDS)


class CompletionsBody(RecordIds):
    """Records that are done from now on, or not."""

    done = Flag(load_default=True)


class MovesBody(RecordIds):
    """Records that go to a list, one after the other."""

    list_id = Text(required=True)
    place = Place(load_default=None, allow_none=True, metadata=PLACE)


class Changed(Shape):
    """How many records changed."""

    count = fields.Integer()


class TagOfRecord(Shape):
    """A tag that a record carries."""

    id = Text()
    title = Text()
    color = Text()


class FieldValueShown(Shape):
    """The value of a custom field on a record."""

    field_id = Text()
    name = Text()
    kind = fields.Enum(FieldKind, by_value=True)
    value = fields.Raw(allow_none=True, metadata={"description": VALUE})


class RecordShown(Shape):
    """A record with all that hangs on it."""

    id = Text()
    project_id = Text()
    list_id = Text()
    title = Text()
    description = Text()
    position = fields.Float(metadata={"description": "what the records of a list are ordered by"})
    done = Flag()
    archived = Flag()
    started_at = Instant(allow_none=True)
    dued_at = Instant(allow_none=True)
    timezone = Text(allow_none=True)
    assignees = fields.List(fields.Nested(PersonShown))
    tags = fields.List(fields.Nested(TagOfRecord))
    field_values = fields.List(fields.Nested(FieldValueShown))
    created_by_id = Text(allow_none=True)
    created_at = Instant()
    updated_at = Instant()


class RecordPageShown(Shape):
    """Records, in the order of their ids."""

    items = fields.List(fields.Nested(RecordShown))
    next_cursor = next_cursor()


class RecordQuery(PageQuery):
    """Which records of a project are meant."""

    list_id = Text()
    tag_id = Text()
    assignee_id = Text()
    done = fields.Boolean(truthy={"true"}, falsy={"false"}, error_messages={"invalid": "Send true or false."})
    archived = fields.Boolean(
        load_default=False, truthy={"true"}, falsy={"false"}, error_messages={"invalid": "Send true or false."}
    )
    due_before = Instant(metadata={"description": "due earlier than this"})


def shown(record: Record) -> dict[str, Any]:
    """A record as RecordShown dumps it."""
    return {name: getattr(record, name) for name in OWN} | {
        "project_id": record.list.project_id,
        "description": record.text or "",
        "assignees": [link.user for link in record.assignees],
        "tags": [link.tag for link in record.tags],
        "field_values": [_value(value) for value in record.field_values],
    }


def _value(value: RecordFieldValue) -> dict[str, Any]:
    field = value.field
    shown_value = field_values.shown(value)
    return {"field_id": field.id, "name": field.name, "kind": field.kind, "value": shown_value}
