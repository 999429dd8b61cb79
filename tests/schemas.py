"""Bodies against the published JSON Schemas, by an independent validator, and more strictly than receivers do."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator

from webapp.delivery import payloads
from webapp.delivery.event_types import sample_snapshot
from webapp.delivery.json_schemas import json_schema
from webapp.models import Event, PayloadFormat


def check_published_schema(schema: dict[str, Any]) -> None:
    """jsonschema.SchemaError unless it is a schema of the dialect that it names."""
    assert schema["$schema"] == Draft202012Validator.META_SCHEMA["$id"]
    Draft202012Validator.check_schema(schema)


def check_body(code: str, payload_format: PayloadFormat, body: Any) -> None:
    """jsonschema.ValidationError unless the body fits the schema of its type, without any key that it does not name."""
    _validator(code, payload_format).validate(body)


def check_bodies(event: Event) -> None:
    """jsonschema.ValidationError unless both bodies of the event fit."""
    values = {"previous": event.previous_value, "current": event.current_value}
    full = payloads.body(code=event.type, snapshot=sample_snapshot(), **values)
    ids = {"company_id": event.company_id, "project_id": event.project_id, "user_id": event.user_id}
    compact = payloads.compact(code=event.type, **values, **ids)
    check_body(event.type, PayloadFormat.FULL, json.loads(full))
    check_body(event.type, PayloadFormat.COMPACT, json.loads(compact))


@cache
def _validator(code: str, payload_format: PayloadFormat) -> Draft202012Validator:
    return Draft202012Validator(_closed(json_schema(code, payload_format)))


def _closed(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: _closed(value) for key, value in schema.items()}
    return closed | {"additionalProperties": False} if isinstance(closed.get("required"), list) else closed
