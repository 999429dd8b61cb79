"""Custom fields as callers write and read them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import marshmallow as ma
from marshmallow import fields

from webapp.api.schemas.base import Instant, Shape, Text
from webapp.models import CustomField, FieldKind
from webapp.workspace.custom_fields import Choice

NUMBER = {"type": ["number", "null"]}
LEAST = {**NUMBER, "description": "the smallest value (NUMBER, CURRENCY)"}
MOST = {**NUMBER, "description": "the largest value (NUMBER, CURRENCY), or how many stars there are (RATING, 5)"}
CURRENCY = {"description": "of amounts that name none themselves (CURRENCY), such as EUR"}
OPTIONS = {"description": "what people choose from (SELECT_SINGLE, SELECT_MULTI), all of them, in their order"}
KIND = {"description": "never changes afterwards", "enum": [kind.value for kind in FieldKind]}
MOMENTS = {"createdAt": "2026-05-04T12:00:00.000Z", "updatedAt": "2026-05-04T12:00:00.000Z"}
OPTION = {"title": "Newsletter", "color": "#4a9fff"}
OPTION_SHOWN = {"id": "cmb2k8f0a000ajo6w8z1b2c3d", **OPTION}
EXAMPLE = {"name": "Channel", "kind": "SELECT_SINGLE", "options": [OPTION]}
PATCH = {"name": "Channel", "options": [OPTION_SHOWN, {"title": "Blog"}]}
SHOWN = {
    "id": "cmb2k8f0a0009jo6w8z1b2c3d",
    "projectId": "shop",
    "name": "Channel",
    "kind": "SELECT_SINGLE",
    "description": None,
    "min": None,
    "max": None,
    "currency": None,
    "options": [OPTION_SHOWN],
    **MOMENTS,
}


class NewOption(Shape):
    """An option of a new field."""

    title = Text(required=True)
    color = Text(load_default=None, allow_none=True, metadata={"description": "#rrggbb; #4a9fff when left out"})

    @ma.post_load
    def _as_choice(self, data: Mapping[str, Any], **_: Any) -> Choice:
        return Choice(**data)


class OptionBody(NewOption):
    """An option that the field shall have: one that it has, by its id, or a new one."""

    id = Text(load_default=None, allow_none=True)


class FieldPatch(Shape):
    """What of a field is to change; what is left out stays. Options that are left out of their list are deleted."""

    name = Text()
    description = Text(allow_none=True)
    min = fields.Raw(allow_none=True, metadata=LEAST)
    max = fields.Raw(allow_none=True, metadata=MOST)
    currency = Text(allow_none=True, metadata=CURRENCY)
    options = fields.List(fields.Nested(OptionBody), metadata=OPTIONS)


class FieldBody(FieldPatch):
    """A new custom field."""

    name = Text(required=True)
    kind = Text(required=True, metadata=KIND)
    options = fields.List(fields.Nested(NewOption), metadata=OPTIONS)


class OptionShown(Shape):
    """An option of a field."""

    id = Text()
    title = Text()
    color = Text()


class FieldShown(Shape):
    """A custom field of a project."""

    id = Text()
    project_id = Text()
    name = Text()
    kind = fields.Enum(FieldKind, by_value=True)
    description = Text(allow_none=True)
    min = fields.Float(allow_none=True)
    max = fields.Float(allow_none=True)
    currency = Text(allow_none=True)
    options = fields.List(fields.Nested(OptionShown))
    created_at = Instant()
    updated_at = Instant()


class FieldListed(FieldShown):
    """A custom field of a project, and how many records have a value in it."""

    records = fields.Integer()


class FieldList(Shape):
    """The custom fields of a project, in their order."""

    items = fields.List(fields.Nested(FieldListed))


def shown(field: CustomField) -> dict[str, Any]:
    """A field as FieldShown dumps it."""
    return {name: getattr(field, name) for name in FieldShown().fields}
