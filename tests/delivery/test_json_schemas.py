"""The JSON Schemas of the bodies: valid themselves, true for the examples, and false for what is never sent."""

from __future__ import annotations

import json
from typing import Any

import pytest
from jsonschema import ValidationError

from tests.schemas import check_body, check_published_schema
from tests.shapes import INNER_KEYS, KEYS
from webapp.delivery.event_types import HEALTH_CHECK, Kind, event_types, example
from webapp.delivery.json_schemas import json_schema
from webapp.models import PayloadFormat

TYPES = event_types(None)
EACH = pytest.mark.parametrize("code", [*TYPES, HEALTH_CHECK])
FORMATS = pytest.mark.parametrize("payload_format", PayloadFormat)
CHANGED = [code for code, each in TYPES.items() if each.kind is Kind.CHANGED]


def body(code: str, payload_format: PayloadFormat = PayloadFormat.FULL) -> Any:
    return json.loads(example(code, payload_format))


@EACH
@FORMATS
def test_every_type_has_a_valid_schema_that_its_example_fits(code: str, payload_format: PayloadFormat) -> None:
    check_published_schema(json_schema(code, payload_format))
    check_body(code, payload_format, body(code, payload_format))


@pytest.mark.parametrize("code", TYPES)
def test_the_full_schema_has_blues_keys_in_blues_order(code: str) -> None:
    schema = json_schema(code, PayloadFormat.FULL)
    entity = TYPES[code].entity
    assert " ".join(schema["$defs"][entity]["properties"]) == KEYS[entity]
    for shape in schema["$defs"].values():
        for key, inner in shape["properties"].items():
            name = json.dumps(inner).partition("#/$defs/")[2].partition('"')[0]
            if name and key != "metadata":
                assert " ".join(schema["$defs"][name]["properties"]) == INNER_KEYS[key]


def test_what_is_created_has_no_previous_value_and_what_is_deleted_no_current_one() -> None:
    created = body("COMMENT_CREATED")
    with pytest.raises(ValidationError, match="False schema"):
        check_body("COMMENT_CREATED", PayloadFormat.FULL, created | {"previousValue": None})
    deleted = body("COMMENT_DELETED")
    with pytest.raises(ValidationError):
        check_body("COMMENT_DELETED", PayloadFormat.FULL, deleted | {"currentValue": deleted["previousValue"]})
    with pytest.raises(ValidationError):
        check_body("COMMENT_DELETED", PayloadFormat.FULL, deleted | {"previousValue": None})


@pytest.mark.parametrize("code", CHANGED)
def test_what_is_changed_has_both_values(code: str) -> None:
    for key in ("previousValue", "currentValue"):
        without = body(code)
        del without[key]
        for wrong in (without, body(code) | {key: None}):
            with pytest.raises(ValidationError):
                check_body(code, PayloadFormat.FULL, wrong)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("id", 7),
        ("uid", "wh_8f3a2c1e"),
        ("position", 65535),
        ("done", None),
        ("duedAt", "2026-05-04"),
        ("createdAt", "2026-05-04T12:00:00Z"),
        ("todoTags", None),
        ("todoList", None),
    ],
)
def test_a_value_of_another_kind_does_not_fit(key: str, value: Any) -> None:
    wrong = body("TODO_CREATED")
    wrong["currentValue"][key] = value
    with pytest.raises(ValidationError):
        check_body("TODO_CREATED", PayloadFormat.FULL, wrong)


def test_a_secret_is_always_empty() -> None:
    wrong = body("TODO_CREATED")
    wrong["webhook"]["secret"] = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
    with pytest.raises(ValidationError):
        check_body("TODO_CREATED", PayloadFormat.FULL, wrong)


def test_the_health_check_has_two_keys_only() -> None:
    for key in ("previousValue", "currentValue"):
        with pytest.raises(ValidationError):
            check_body(HEALTH_CHECK, PayloadFormat.FULL, body(HEALTH_CHECK) | {key: None})


def test_the_compact_schema_has_parents_beside_and_not_inside() -> None:
    schema = json_schema("COMMENT_UPDATED", PayloadFormat.COMPACT)
    assert list(schema["properties"]) == ["event", "comment", "record", "changes", "company", "project", "user"]
    assert schema["properties"]["event"] == {"const": "COMMENT_UPDATED"}
    assert "todo" not in schema["$defs"]["comment"]["properties"]
    assert "project" not in schema["$defs"]["list"]["properties"]
    assert {"webhook", "project", "company"}.isdisjoint(schema["$defs"])
    assert set(schema["properties"]["changes"]["properties"]) >= {"text", "html"}


def test_the_compact_form_knows_a_program_that_acted_for_nobody() -> None:
    check_body("TAG_CREATED", PayloadFormat.COMPACT, body("TAG_CREATED", PayloadFormat.COMPACT) | {"user": None})


def test_a_receiver_that_checks_does_not_break_when_a_key_is_added() -> None:
    schema = json.dumps(json_schema("TODO_CREATED", PayloadFormat.FULL))
    assert "additionalProperties" not in schema


def test_an_unknown_type_has_no_schema() -> None:
    with pytest.raises(KeyError):
        json_schema("TODO_EXPLODED", PayloadFormat.FULL)
