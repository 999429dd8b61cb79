"""Lists as callers write and read them."""

from __future__ import annotations

from marshmallow import fields

from webapp.api.schemas.base import Instant, Shape, Text

EXAMPLE = {"title": "To do"}
SHOWN = {
    "id": "cmb2k8f0a0002jo6w8z1b2c3d",
    "projectId": "shop",
    **EXAMPLE,
    "position": 65535,
    "createdAt": "2026-05-04T12:00:00.000Z",
    "updatedAt": "2026-05-04T12:00:00.000Z",
}


class ListBody(Shape):
    """What a list is called."""

    title = Text(required=True)


class ListShown(Shape):
    """A list of a project."""

    id = Text()
    project_id = Text()
    title = Text()
    position = fields.Float(metadata={"description": "what the lists of a project are ordered by"})
    created_at = Instant()
    updated_at = Instant()


class ListList(Shape):
    """The lists of a project, in their order."""

    items = fields.List(fields.Nested(ListShown))
