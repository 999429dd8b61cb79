"""Webhooks as callers set them up and read them. A secret goes out once, in the answer to the call that made it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import marshmallow as ma
from marshmallow import fields
from marshmallow.types import ErrorMessages

from webapp.api.errors import camel
from webapp.api.schemas.base import Flag, Instant, Shape, Text, Texts
from webapp.delivery import filters
from webapp.models import PayloadFormat, Webhook, utc_now
from webapp.webhooks import headers, words
from webapp.webhooks.activation import CheckOutcome, HealthCheck
from webapp.webhooks.editing import GENERATED, NONE, WebhookValues
from webapp.webhooks.rules import Advice
from webapp.webhooks.secrets import MAX_OVERLAP_HOURS, OVERLAP_HOURS
from webapp.webhooks.statistics import Figures

EVENTS = {"description": "event types; an empty list means all"}
PROJECTS = {"description": "projects that you administer; an empty list means all of them"}
SECRET = {"description": "left out: one is made; null or an empty text: unsigned; a text: your own"}
FORMAT = {"description": "as Blue sends it, or the short form", "enum": [str(word) for word in PayloadFormat]}
HEADERS = {"description": "all headers that are sent besides ours, at most 20; those that are left out are removed"}
LIST_OF_HEADERS: ErrorMessages = {"invalid": "Send a list of objects, each with a name and a value."}
HEADERS_SHOWN = {"description": "headers of your own; null when no key of this installation can read them"}
PREVIOUS = {"description": "until when the secret before the last rotation signs too; null when it does not"}
VALUE = {"description": "left out or null: the stored value of this name stays"}
FILTER = {
    "type": ["object", "null"],
    "description": "rules for an event's values; null for none. Paths begin with `record.` (the record that "
    "the event is about or belongs to) or `value.` (the entity itself) and name keys of the full payload format; "
    "brackets pick an item of a list by its id: `record.todoCustomFields[cm0…].number`. "
    "`value` is a list with `in`, and left out with `exists`, `not_exists` and `changed`",
    "properties": {
        "match": {"type": "string", "enum": [str(word) for word in filters.Match], "default": "all"},
        "rules": {
            "type": "array",
            "maxItems": filters.MAX_RULES,
            "items": {
                "type": "object",
                "required": ["path", "operator"],
                "properties": {
                    "path": {"type": "string", "example": "record.todoList.title"},
                    "operator": {"type": "string", "enum": [str(word) for word in filters.Operator]},
                    "value": {"example": "Done"},
                },
            },
        },
    },
    "example": {"match": "all", "rules": [{"path": "record.todoList.title", "operator": "is", "value": "Done"}]},
}

EXAMPLE = {
    "name": "Orders",
    "url": "https://example.com/hooks/orders",
    "events": ["TODO_CREATED", "TODO_NAME_CHANGED"],
    "projectIds": ["shop"],
}
SHOWN = {
    "id": "cmb2k8f0a0003jo6w8z1b2c3d",
    **EXAMPLE,
    "enabled": True,
    "payloadFormat": "full",
    "headers": [{"name": "X-Api-Key", "value": None}],
    "filter": FILTER["example"],
    "signed": True,
    "previousSecretUntil": None,
    "status": "HEALTHY",
    "health": "new",
    "healthCheck": None,
    "createdAt": "2026-05-04T12:00:00.000Z",
    "updatedAt": "2026-05-04T12:00:00.000Z",
}
CREATED = {**SHOWN, "secret": "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", "warnings": []}
SAVED = {**SHOWN, "warnings": []}
ROTATED = {"secret": CREATED["secret"], "previousSecretUntil": "2026-05-05T12:00:00.000Z"}

SENTENCES = {
    CheckOutcome.PASSED: "The receiver answered the health check.",
    CheckOutcome.FAILED: "The health check failed, so the webhook stays off. Its delivery says what was answered.",
    CheckOutcome.NO_ANSWER: "No answer to the health check within 7 seconds, so the webhook stays off. Try again.",
    CheckOutcome.URL_CHANGED: "The URL was changed during the health check, so the webhook stays off. Try again.",
    CheckOutcome.NO_WORKER: "No worker runs to send the health check, so the webhook stays off. Start `webapp worker`.",
}


class HeaderBody(Shape):
    """A header that is sent with every request. Its value is encrypted, and no answer ever holds it."""

    name = Text(required=True)
    value = Text(allow_none=True, load_default=None, metadata=VALUE | {"writeOnly": True})


class HeaderShown(Shape):
    """A header that is set. Its value is told to nobody."""

    name = Text()
    value = fields.Constant(None, metadata={"type": "null", "description": "always null"})


class Headers(fields.List[Any]):
    """Names and values of headers, as the rules take them."""

    default_error_messages = LIST_OF_HEADERS

    def __init__(self, **options: Any) -> None:
        super().__init__(fields.Nested(HeaderBody), metadata=HEADERS, **options)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **options: Any) -> list[Any]:
        rows: list[Any] = super()._deserialize(value, attr, data, **options)
        return [(row["name"], row["value"]) for row in rows]


class WebhookBody(Shape):
    """A new webhook."""

    name = Text(required=True)
    url = Text(required=True)
    secret = Text(allow_none=True, metadata=SECRET | {"writeOnly": True})
    events = Texts(load_default=(), metadata=EVENTS)
    project_ids = Texts(load_default=(), metadata=PROJECTS)
    enabled = Flag(load_default=True)
    payload_format = Text(load_default=PayloadFormat.FULL.value, metadata=FORMAT)
    headers = Headers(load_default=())
    filter = fields.Raw(allow_none=True, load_default=None, metadata=FILTER)

    @ma.post_load
    def _as_values(self, data: Mapping[str, Any], **_: Any) -> WebhookValues:
        return WebhookValues(**{**data, "secret": data.get("secret", GENERATED) or NONE})


class WebhookPatch(Shape):
    """What of a webhook is to change; what is left out stays. The secret is changed by a rotation, not here."""

    name = Text()
    url = Text()
    events = Texts(metadata=EVENTS)
    project_ids = Texts(metadata=PROJECTS)
    enabled = Flag(metadata={"description": "true: a health check is sent first, and waited for"})
    payload_format = Text(metadata=FORMAT)
    headers = Headers()
    filter = fields.Raw(allow_none=True, metadata=FILTER)


class RotationBody(Shape):
    """A new secret for a webhook. The body may be left out."""

    may_be_left_out = True

    secret = Text(
        load_default=None,
        allow_none=True,
        metadata={"description": "left out or null: one is made; a text: your own", "writeOnly": True},
    )
    overlap_hours = fields.Integer(
        strict=True,
        load_default=OVERLAP_HOURS,
        error_messages={"invalid": f"Send a whole number of hours, 0 to {MAX_OVERLAP_HOURS}."},
        metadata={
            "description": "how long the secret before it stays valid",
            "minimum": 0,
            "maximum": MAX_OVERLAP_HOURS,
        },
    )


class Rotated(Shape):
    """The new secret of a webhook: the only answer that ever holds it."""

    secret = Text()
    previous_secret_until = Instant(allow_none=True, metadata=PREVIOUS)


class HealthCheckShown(Shape):
    """How the last attempt to enable the webhook ended."""

    outcome = fields.Enum(CheckOutcome, by_value=True)
    detail = fields.Function(lambda check: SENTENCES[check.outcome], metadata={"type": "string"})
    at = Instant()
    delivery_id = Text(allow_none=True)
    status = fields.Integer(allow_none=True)
    error = Text(allow_none=True)


class WebhookShown(Shape):
    """One of your webhooks."""

    id = Text()
    name = Text()
    url = Text()
    events = Texts(metadata=EVENTS)
    project_ids = Texts(metadata=PROJECTS)
    enabled = Flag()
    payload_format = Text()
    headers = fields.List(fields.Nested(HeaderShown), allow_none=True, metadata=HEADERS_SHOWN)
    filter = fields.Raw(allow_none=True, metadata=FILTER)
    signed = Flag(attribute="is_signed", metadata={"description": "whether it has a secret"})
    previous_secret_until = Instant(allow_none=True, metadata=PREVIOUS)
    status = Text(metadata={"description": "HEALTHY, or UNHEALTHY when the system disabled it"})
    health = Text(metadata={"enum": ["new", "healthy", "failing", "paused", "disabled"]})
    health_check = fields.Nested(HealthCheckShown, allow_none=True)
    created_at = Instant()
    updated_at = Instant()


class Warning(Shape):  # noqa: A001 - what callers call it
    """Something odd that did not keep the webhook from being saved."""

    field = fields.Function(lambda advice: camel(advice.field), metadata={"type": "string"})
    detail = Text(attribute="sentence")


class WebhookSaved(WebhookShown):
    """A webhook that was changed."""

    warnings = fields.List(fields.Nested(Warning))


class WebhookCreated(WebhookSaved):
    """A new webhook with its secret: the only answer that ever holds it."""

    secret = Text(allow_none=True)


class WebhookList(Shape):
    """Your webhooks, by name."""

    items = fields.List(fields.Nested(WebhookShown))


def shown(webhook: Webhook, figures: Figures) -> dict[str, Any]:
    """A webhook as WebhookShown dumps it."""
    names = ("id", "name", "url", "events", "project_ids", "enabled", "payload_format", "filter", "is_signed", "status")
    moments = ("created_at", "updated_at")
    names_of_headers = headers.names(webhook)
    derived = {
        "health": figures.word.health,
        "health_check": HealthCheck.of(webhook),
        "headers": None if names_of_headers is None else [{"name": name} for name in names_of_headers],
        "previous_secret_until": words.old_secret_until(webhook, utc_now()),
    }
    return {name: getattr(webhook, name) for name in (*names, *moments)} | derived


def saved(webhook: Webhook, figures: Figures, warnings: list[Advice]) -> dict[str, Any]:
    """A webhook as WebhookSaved dumps it."""
    return shown(webhook, figures) | {"warnings": warnings}


def rotated(secret: str, webhook: Webhook) -> dict[str, Any]:
    """A webhook's new secret as Rotated dumps it."""
    return {"secret": secret, "previous_secret_until": words.old_secret_until(webhook, utc_now())}
