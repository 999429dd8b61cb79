"""The shape of every error."""

from __future__ import annotations

from marshmallow import fields

from webapp.api.schemas.base import Shape, Text

EXAMPLE = {
    "type": "about:blank",
    "title": "Unprocessable Entity",
    "status": 422,
    "detail": "url: Use an https address.",
    "errors": [{"field": "url", "detail": "Use an https address."}],
    "requestId": "4f1c2a9be07d6358",
}


class WrongField(Shape):
    """One wrong field."""

    field = Text(metadata={"description": "its path, such as events.3.projectId"})
    detail = Text(metadata={"description": "what is wrong, and how to mend it"})


class Problem(Shape):
    """What is wrong, and how to mend it (RFC 9457)."""

    type = Text()
    title = Text()
    status = fields.Integer()
    detail = Text()
    errors = fields.List(fields.Nested(WrongField), metadata={"description": "each wrong field, where fields are"})
    request_id = Text(metadata={"description": "the number of this request in the log"})
