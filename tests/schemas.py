"""Bodies against the published JSON Schemas, by an independent validator, and more strictly than receivers do."""

from __future__ import annotations

from typing import Any

from jsonschema import Draft202012Validator

from webapp.delivery.json_schemas import json_schema
from webapp.models import PayloadFormat


def check_published_schema(schema: dict[str, Any]) -> None:
    """jsonschema.SchemaError unless it is a schema of the dialect that it names."""
    assert schema["$schema"] == Draft202012Validator.META_SCHEMA["$id"]
    Draft202012Validator.check_schema(schema)


def check_body(code: str, payload_format: PayloadFormat, body: Any) -> None:
    """jsonschema.ValidationError unless the body fits the schema of its type, without any key that it does not name."""
    closed = _closed(json_schema(code, payload_format))
    Draft202012Validator(closed, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(body)


def _closed(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: _closed(value) for key, value in schema.items()}
    return closed | {"additionalProperties": False} if isinstance(closed.get("required"), list) else closed
