"""Event types over REST: the words, the examples, and the schema of each body."""

from __future__ import annotations

import pytest

from tests.api.conftest import Program
from tests.schemas import check_published_schema
from webapp.delivery.event_types import HEALTH_CHECK, event_types


def test_all_event_types_come_with_examples_in_both_formats(api: Program) -> None:
    items = api.get("/event-types").json["items"]
    assert [item["code"] for item in items] == list(event_types(None))
    assert len(items) == 37
    first = items[0]
    assert (first["code"], first["compactCode"], first["kind"]) == ("TODO_CREATED", "RECORD_CREATED", "created")
    assert list(first["examples"]["full"]) == ["event", "webhook", "currentValue"]
    assert first["examples"]["compact"]["event"] == "RECORD_CREATED"


def test_one_event_type_is_read_as_in_the_list(api: Program) -> None:
    items = api.get("/event-types").json["items"]
    assert api.get("/event-types/COMMENT_CREATED").json in items
    assert api.get("/event-types/TODO_EXPLODED").status_code == 404


def test_each_event_type_leads_to_its_schemas(api: Program) -> None:
    for item in api.get("/event-types").json["items"]:
        for payload_format, address in item["schemas"].items():
            schema = api.get(address.removeprefix("/api/v1"))
            assert (schema.status_code, schema.mimetype) == (200, "application/json")
            check_published_schema(schema.json)
            word = item["examples"][payload_format]["event"]
            assert schema.json["properties"]["event"] == {"const": word}


def test_the_health_check_has_a_schema_too(api: Program) -> None:
    schema = api.get(f"/event-types/{HEALTH_CHECK}/schemas/full").json
    assert schema["required"] == ["event", "webhook"]


@pytest.mark.parametrize("path", ["TODO_EXPLODED/schemas/full", "TODO_CREATED/schemas/short"])
def test_what_has_no_schema_is_not_there(api: Program, path: str) -> None:
    assert api.get(f"/event-types/{path}").status_code == 404
