"""What all schemas share: camelCase names, strict JSON types, and sentences instead of verdicts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import marshmallow as ma
from marshmallow import fields, validate
from marshmallow.types import ErrorMessages
from webargs.fields import DelimitedList

from webapp.api.errors import camel
from webapp.delivery import payloads

MAX_PAGE = 200  # rows of one page
PAGE = 50

MISSING = "This field is missing."
NOT_NULL = "This cannot be null. Leave the field out instead."
OBJECT = {"type": "Send a JSON object."}
TEXT: ErrorMessages = {
    "invalid": "Send a text.",
    "nul": "Leave out the NUL character.",
}
FLAG: ErrorMessages = {"invalid": "Send true or false."}
TEXTS: ErrorMessages = {"invalid": "Send a list of texts."}
INSTANT: ErrorMessages = {"invalid": "Send a moment with its time zone, such as 2026-05-04T12:00:00Z."}


class Shape(ma.Schema):
    """A JSON object. Names are camelCase outside and snake_case inside; a name that it does not have is refused."""

    error_messages = OBJECT

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        known = ", ".join(str(field.data_key) for field in self.load_fields.values())
        self.error_messages["unknown"] = f"There is no such field here. There are: {known}."

    def on_bind_field(self, field_name: str, field_obj: fields.Field[Any]) -> None:
        """Give a field its outer name."""
        field_obj.data_key = field_obj.data_key or camel(field_name)
        field_obj.error_messages.update({"required": MISSING, "null": NOT_NULL})


class Text(fields.String):
    """A text. NUL is refused everywhere: no id, name or address has one, and no text column takes it."""

    default_error_messages = TEXT

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **options: Any) -> str:
        text: str = super()._deserialize(value, attr, data, **options)
        if "\0" in text:
            raise self.make_error("nul")
        return text


class Flag(fields.Boolean):
    """true or false, and nothing that looks like it."""

    default_error_messages = FLAG

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **options: Any) -> bool:
        if not isinstance(value, bool):
            raise self.make_error("invalid", input=value)
        return value


class Texts(fields.List[Any]):
    """A list of texts."""

    default_error_messages = TEXTS

    def __init__(self, **options: Any) -> None:
        super().__init__(Text(), **options)


class Choices(DelimitedList):
    """Words out of a closed list, with commas between them in one parameter of the query."""

    def __init__(self, words: Sequence[str], **options: Any) -> None:
        known = validate.OneOf(words, error="There is no “{input}” here. There are: {choices}.")
        super().__init__(Text(validate=known), **options)


class Instant(fields.DateTime):
    """A moment in UTC with milliseconds, as in payloads: 2026-05-04T12:00:00.000Z."""

    default_error_messages = INSTANT

    def _serialize(self, value: datetime | None, attr: str | None, obj: Any, **options: Any) -> str | None:
        return None if value is None else payloads.instant(value)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **options: Any) -> datetime:
        moment = super()._deserialize(value, attr, data, **options)
        try:
            if moment.tzinfo is None:
                raise self.make_error("invalid", input=value, obj_type="datetime")
            return moment.astimezone(UTC)
        except OverflowError:
            raise self.make_error("invalid", input=value, obj_type="datetime") from None


class PageQuery(Shape):
    """Which page of a list."""

    cursor = Text(metadata={"description": "nextCursor of the page before, as it came"})
    limit = fields.Integer(
        load_default=PAGE,
        validate=validate.Range(1, MAX_PAGE, error=f"Send a number from 1 to {MAX_PAGE}."),
        error_messages={"invalid": f"Send a number from 1 to {MAX_PAGE}."},
        metadata={"description": "rows of the page"},
    )


class Created(Shape):
    """The id of what was made."""

    id = Text()


def next_cursor() -> fields.Field[Any]:
    """The field that a page ends with."""
    return Text(allow_none=True, metadata={"description": "send it as `cursor` for the next page; null at the end"})
