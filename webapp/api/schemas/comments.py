"""Comments as callers write and read them."""

from __future__ import annotations

from marshmallow import fields

from webapp.api.schemas.base import Flag, Instant, Shape, Text
from webapp.api.schemas.people import PERSON, PersonShown
from webapp.workspace.comments import TEXT_LENGTH

EXAMPLE = {"text": "Looks good"}
SHOWN = {
    "id": "cmb2k8f0a0004jo6w8z1b2c3d",
    "recordId": "cmb2k8f0a0003jo6w8z1b2c3d",
    "text": "Looks good",
    "html": "<p>Looks good</p>",
    "author": PERSON,
    "edited": False,
    "createdAt": "2026-05-04T12:00:00.000Z",
    "updatedAt": "2026-05-04T12:00:00.000Z",
}


class CommentBody(Shape):
    """What a comment says."""

    text = Text(required=True, metadata={"description": f"plain text, 1 to {TEXT_LENGTH:,} characters"})


class CommentShown(Shape):
    """A comment on a record."""

    id = Text()
    record_id = Text()
    text = Text()
    html = Text(metadata={"description": "the same text, escaped, with its line breaks"})
    author = fields.Nested(
        PersonShown, attribute="user", allow_none=True, metadata={"description": "null: the account is gone"}
    )
    edited = Flag(attribute="is_edited")
    created_at = Instant()
    updated_at = Instant()


class CommentList(Shape):
    """The comments on a record, oldest first."""

    items = fields.List(fields.Nested(CommentShown))
