"""The catalogue: 37 types, their texts, and examples that are true."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from babel.messages.extract import extract

from tests.shapes import INNER_KEYS, KEYS, below
from webapp.delivery import event_types as catalogue
from webapp.delivery.event_types import GROUPS, HEALTH_CHECK, RECORD_UPDATED, Kind, by_group, event_types, example
from webapp.models import PayloadFormat

TYPES = event_types(None)
EACH = pytest.mark.parametrize("code", TYPES)

ALL_CODES = [
    "TODO_CREATED",
    "TODO_DELETED",
    "TODO_MOVED",
    "TODO_NAME_CHANGED",
    "TODO_DONE_STATUS_UPDATED",
    "TODO_DUE_DATE_ADDED",
    "TODO_DUE_DATE_REMOVED",
    "TODO_DUE_DATE_UPDATED",
    "TODO_ASSIGNEE_ADDED",
    "TODO_ASSIGNEE_REMOVED",
    "TODO_TAG_ADDED",
    "TODO_TAG_REMOVED",
    "TODO_CUSTOM_FIELD_UPDATED",
    "TODO_CHECKLIST_CREATED",
    "TODO_CHECKLIST_NAME_CHANGED",
    "TODO_CHECKLIST_DELETED",
    "TODO_CHECKLIST_ITEM_CREATED",
    "TODO_CHECKLIST_ITEM_NAME_CHANGED",
    "TODO_CHECKLIST_ITEM_DELETED",
    "TODO_CHECKLIST_ITEM_DUE_DATE_ADDED",
    "TODO_CHECKLIST_ITEM_DUE_DATE_REMOVED",
    "TODO_CHECKLIST_ITEM_DUE_DATE_UPDATED",
    "TODO_CHECKLIST_ITEM_ASSIGNEE_ADDED",
    "TODO_CHECKLIST_ITEM_ASSIGNEE_REMOVED",
    "TODO_CHECKLIST_ITEM_DONE_STATUS_UPDATED",
    "TODO_LIST_CREATED",
    "TODO_LIST_DELETED",
    "TODO_LIST_NAME_CHANGED",
    "CUSTOM_FIELD_CREATED",
    "CUSTOM_FIELD_DELETED",
    "CUSTOM_FIELD_UPDATED",
    "TAG_CREATED",
    "TAG_DELETED",
    "TAG_UPDATED",
    "COMMENT_CREATED",
    "COMMENT_DELETED",
    "COMMENT_UPDATED",
]


def full(code: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(example(code, PayloadFormat.FULL))
    return document


def compact(code: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(example(code, PayloadFormat.COMPACT))
    return document


def test_there_are_blues_37_types_in_six_groups() -> None:
    assert list(TYPES) == ALL_CODES
    assert [(group.code, len(types)) for group, types in by_group(None).items()] == [
        ("records", 13),
        ("checklists", 12),
        ("lists", 3),
        ("customFields", 3),
        ("tags", 3),
        ("comments", 3),
    ]


def test_record_updated_stands_for_eleven_types() -> None:
    assert list(RECORD_UPDATED) == [code for code in ALL_CODES[:13] if code not in {"TODO_CREATED", "TODO_DELETED"}]
    assert len(RECORD_UPDATED) == 11


@EACH
def test_each_type_is_told_in_plain_sentences(code: str) -> None:
    each = TYPES[code]
    assert re.fullmatch(r"[A-Z][a-z ]{5,48}", each.label)
    assert re.fullmatch(r"[A-Z][^.%]{15,90}\.", each.description)
    assert re.fullmatch(r"[A-Z][^%]{25,180}\.", each.sent_when)


def test_no_two_types_read_alike() -> None:
    for texts in ([each.label for each in TYPES.values()], [each.description for each in TYPES.values()]):
        assert len(set(texts)) == 37


@EACH
def test_the_kind_agrees_with_the_name(code: str) -> None:
    kind = TYPES[code].kind
    assert (kind is Kind.CREATED) == code.endswith("_CREATED")
    assert (kind is Kind.DELETED) == code.endswith("_DELETED")


@EACH
def test_the_full_example_has_blues_keys_in_blues_order(code: str) -> None:
    document, kind = full(code), TYPES[code].kind
    values = {Kind.CREATED: ["currentValue"]}.get(kind, ["previousValue", "currentValue"])
    assert list(document) == ["event", "webhook", *values]
    assert document["event"] == code
    assert (document["currentValue"] is None) == (kind is Kind.DELETED)
    for value in filter(None, (document.get("previousValue"), document["currentValue"])):
        assert " ".join(value) == KEYS[TYPES[code].entity]
        for key, inner in below(value):
            assert " ".join(inner) == INNER_KEYS[key], key


@EACH
def test_the_sample_webhook_is_stable_and_shows_no_secret(code: str) -> None:
    webhook = full(code)["webhook"]
    assert webhook == full("TODO_CREATED")["webhook"]
    assert " ".join(webhook) == "id uid name url secret status enabled metadata createdById createdAt updatedAt"
    assert webhook["secret"] == ""


@EACH
def test_the_compact_example_has_its_keys_in_order(code: str) -> None:
    document, each = compact(code), TYPES[code]
    expected = ["event", each.entity]
    expected += ["record"] if each.entity in {"comment", "checklist", "checklistItem"} else []
    expected += ["changes"] if each.kind is Kind.CHANGED else []
    assert list(document) == [*expected, "company", "project", "user"]
    assert document["event"] == each.compact_code
    assert all(list(document[key]) == ["id"] for key in ("company", "project", "user"))


@EACH
def test_a_change_really_changes_something(code: str) -> None:
    if TYPES[code].kind is Kind.CHANGED:
        document = full(code)
        assert document["previousValue"]["updatedAt"] < document["currentValue"]["updatedAt"]
        assert all(change["from"] != change["to"] for change in compact(code)["changes"].values())
        assert compact(code)["changes"]


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        ("TODO_MOVED", {"position", "todoListId"}),
        ("TODO_NAME_CHANGED", {"title"}),
        ("TODO_DONE_STATUS_UPDATED", {"done"}),
        ("TODO_ASSIGNEE_REMOVED", {"todoUsers"}),
        ("TODO_TAG_ADDED", {"todoTags"}),
        ("TODO_CUSTOM_FIELD_UPDATED", {"todoCustomFields"}),
        ("TODO_CHECKLIST_ITEM_ASSIGNEE_ADDED", {"checklistItemUsers"}),
        ("TAG_UPDATED", {"title", "color"}),
        ("COMMENT_UPDATED", {"html", "text"}),
    ],
)
def test_the_example_changes_what_the_type_is_about(code: str, changes: set[str]) -> None:
    assert set(compact(code)["changes"]) == changes


@pytest.mark.parametrize("prefix", ["TODO_DUE_DATE_", "TODO_CHECKLIST_ITEM_DUE_DATE_"])
def test_dates_are_added_changed_and_removed(prefix: str) -> None:
    def dates(kind: str, value: str) -> bool:
        shown = full(prefix + kind)[value]
        return bool(shown["startedAt"] or shown["duedAt"])

    assert [dates("ADDED", value) for value in ("previousValue", "currentValue")] == [False, True]
    assert [dates("UPDATED", value) for value in ("previousValue", "currentValue")] == [True, True]
    assert [dates("REMOVED", value) for value in ("previousValue", "currentValue")] == [True, False]


def test_no_two_examples_of_changes_are_alike() -> None:
    values = {catalogue.sample_values(code) for code, each in TYPES.items() if each.kind is Kind.CHANGED}
    assert len(values) == sum(each.kind is Kind.CHANGED for each in TYPES.values())


@EACH
def test_examples_hang_together(code: str) -> None:
    """Foreign keys name the objects beside them, ids look like Blue's."""
    for _, inner in below(full(code)):
        for key, value in inner.items():
            if isinstance(value, dict) and "id" in value and f"{key}Id" in inner:
                assert inner[f"{key}Id"] == value["id"]
        if "id" in inner:
            assert re.fullmatch(r"c[0-9a-z]{24}", inner["id"])
            assert re.fullmatch(r"[0-9a-f]{32}", inner["uid"])


@EACH
def test_examples_are_the_same_bytes_every_time(code: str) -> None:
    for payload_format in PayloadFormat:
        first = example(code, payload_format)
        catalogue.example.cache_clear()
        assert example(code, payload_format) == first


def test_the_health_check_has_an_example_of_two_keys() -> None:
    for payload_format in PayloadFormat:
        assert list(json.loads(example(HEALTH_CHECK, payload_format))) == ["event", "webhook"]
    assert HEALTH_CHECK not in TYPES


def test_an_unknown_type_has_no_example() -> None:
    with pytest.raises(KeyError):
        example("TODO_EXPLODED", PayloadFormat.FULL)


def test_every_text_is_found_for_translation() -> None:
    path = Path(catalogue.__file__).with_suffix(".json")
    with path.open("rb") as file:
        found = {message for _, message, _, _ in extract(catalogue.extract_texts, file)}
    texts = {group.label for group in GROUPS}
    for each in TYPES.values():
        texts |= {each.label, each.description, each.sent_when}
    assert found == texts
