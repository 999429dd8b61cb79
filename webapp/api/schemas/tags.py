"""Tags as callers write and read them."""

from __future__ import annotations

from typing import Any

from marshmallow import fields

from webapp.api.schemas.base import Instant, Shape, Text
from webapp.models import Tag

ID = "cmb2k8f0a0008jo6w8z1b2c3d"
COLOR = {"description": "#rrggbb; #4a9fff when left out"}
EXAMPLE = {"title": "Urgent", "color": "#4a9fff"}
MOMENTS = {"createdAt": "2026-05-04T12:00:00.000Z", "updatedAt": "2026-05-04T12:00:00.000Z"}
SHOWN = {"id": ID, "projectId": "shop", **EXAMPLE, **MOMENTS}


class TagBody(Shape):
    """A new tag."""

    title = Text(required=True, metadata={"description": "1 to 50 characters, unlike all others of the project"})
    color = Text(allow_none=True, metadata=COLOR)


class TagPatch(Shape):
    """What of a tag is to change; what is left out stays."""

    title = Text()
    color = Text()


class TagShown(Shape):
    """A tag of a project."""

    id = Text()
    project_id = Text()
    title = Text()
    color = Text()
    created_at = Instant()
    updated_at = Instant()


class TagListed(TagShown):
    """A tag of a project, and on how many records it is."""

    records = fields.Integer()


class TagList(Shape):
    """The tags of a project, by title."""

    items = fields.List(fields.Nested(TagListed))


def shown(tag: Tag) -> dict[str, Any]:
    """A tag as TagShown dumps it."""
    return {name: getattr(tag, name) for name in TagShown().fields}
