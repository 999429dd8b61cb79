"""The bodies that are sent, as JSON Schemas (draft 2020-12), for receivers that check or generate code. Pure.

They are derived from the catalogue and from `entity_shapes.json`: each shape's keys in their order, with a word for the
kind of value. ``?`` means that it may be null, ``[…]`` a list, ``@name`` another shape, and ``+`` all keys of one. The
schemas are open: a receiver that checks with them does not break when a key is added.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from webapp.delivery.event_types import HEALTH_CHECK, EventType, Kind, event_types
from webapp.models import PayloadFormat

DIALECT = "https://json-schema.org/draft/2020-12/schema"

Schema = dict[str, Any]
Properties = dict[str, Any]  # a schema for each key, False for one that is never there

_SHAPES: dict[str, dict[str, str]] = json.loads(Path(__file__).with_name("entity_shapes.json").read_text("utf-8"))
_WORDS: dict[str, Schema] = {
    "any": {},
    "text": {"type": "string"},
    "empty": {"type": "string", "const": ""},
    "flag": {"type": "boolean"},
    "number": {"type": "number"},
    "decimal": {"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]+)?$"},
    "id": {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$"},
    "uid": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
    "color": {"type": "string", "pattern": "^#[0-9A-Fa-f]{6}$"},
    "status": {"type": "string", "enum": ["HEALTHY", "UNHEALTHY"]},
    "instant": {
        "type": "string",
        "format": "date-time",
        "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$",
    },
}
_NAMED_BESIDE = frozenset(["todo", "project"])  # what the compact form has beside the entity and not inside
_NO_CHANGES = _NAMED_BESIDE | {"updatedAt", "todoList", "checklist"}
_BELOW_RECORDS = frozenset(["comment", "checklist", "checklistItem"])


@cache
def json_schema(code: str, payload_format: PayloadFormat) -> Schema:
    """The schema of a whole body, of the health check too. Raises KeyError for a type that is not in the catalogue."""
    shapes = _Shapes(leaves_out=_NAMED_BESIDE if payload_format is PayloadFormat.COMPACT else frozenset())
    if code == HEALTH_CHECK:
        title, body = "Health check or ping", _health_check(shapes)
    else:
        each = event_types(None)[code]
        title = each.label
        body = _compact(each, shapes) if payload_format is PayloadFormat.COMPACT else _full(each, shapes)
    return {"$schema": DIALECT, "title": title, **_object(body), "$defs": shapes.definitions()}


def _health_check(shapes: _Shapes) -> Properties:
    values = dict.fromkeys(("previousValue", "currentValue"), False)
    return {"event": {"const": HEALTH_CHECK}, "webhook": shapes.of("@webhook"), **values}


def _full(each: EventType, shapes: _Shapes) -> Properties:
    value = shapes.of("@" + each.entity)
    return {
        "event": {"const": each.code},
        "webhook": shapes.of("@webhook"),
        "previousValue": False if each.kind is Kind.CREATED else value,
        "currentValue": {"type": "null"} if each.kind is Kind.DELETED else value,
    }


def _compact(each: EventType, shapes: _Shapes) -> Properties:
    body = {"event": {"const": each.compact_code}, each.entity: shapes.of("@" + each.entity)}
    if each.entity in _BELOW_RECORDS:
        body["record"] = shapes.of("@recordAbove")
    if each.kind is Kind.CHANGED:
        keys = {name: word for name, word in _keys(each.entity).items() if name not in _NO_CHANGES}
        changes = {name: _object({"from": shapes.of(word), "to": shapes.of(word)}) for name, word in keys.items()}
        body["changes"] = {"type": "object", "properties": changes, "additionalProperties": False}
    return body | {"company": shapes.of("@named"), "project": shapes.of("@named"), "user": shapes.of("@named?")}


class _Shapes:
    """What is referred to becomes a definition, once each."""

    def __init__(self, leaves_out: frozenset[str]) -> None:
        self.leaves_out = leaves_out
        self.used: dict[str, Schema] = {}

    def of(self, word: str) -> Schema:
        """The schema behind a word."""
        if word.endswith("?"):
            inner = self.of(word[:-1])
            return (
                inner | {"type": [inner["type"], "null"]} if "type" in inner else {"anyOf": [inner, {"type": "null"}]}
            )
        if word.startswith("["):
            return {"type": "array", "items": self.of(word[1:-1])}
        if word.startswith("@"):
            self._define(word[1:])
            return {"$ref": f"#/$defs/{word[1:]}"}
        return _WORDS[word]

    def definitions(self) -> dict[str, Schema]:
        """The shapes that were referred to, by name."""
        return dict(sorted(self.used.items()))

    def _define(self, name: str) -> None:
        if name not in self.used:
            self.used[name] = {}  # seen, before what it refers to
            keys = {key: word for key, word in _keys(name).items() if key not in self.leaves_out}
            self.used[name] = _object({key: self.of(word) for key, word in keys.items()})


def _keys(name: str) -> dict[str, str]:
    shape = dict(_SHAPES[name])
    more = shape.pop("+", None)
    return {**_keys(more), **shape} if more else shape


def _object(properties: Properties) -> Schema:
    required = [key for key, schema in properties.items() if schema is not False]
    return {"type": "object", "properties": properties, "required": required}
