"""Record filters: what each operator means, as a table, and the rules for paths, lists, deletions and records."""

from __future__ import annotations

import json
from typing import Any

import pytest

from webapp.delivery.event_types import event_types, sample_values
from webapp.delivery.filters import Operator, Refusal, Values, check, judge

RECORD = {
    "id": "r1",
    "title": "Call Ada Lovelace",
    "text": None,
    "html": "",
    "position": "65535.5",
    "done": False,
    "number": 12.5,
    "count": 3,
    "duedAt": "2026-05-04T12:00:00.000Z",
    "day": "2026-05-04",
    "code": "007",
    "todoTags": [{"tag": {"title": "Blog"}}, {"tag": {"title": "Internal"}}],
    "todoUsers": [],
    "rows": [[{"cell": "a"}], [], [{"cell": "b"}, {"other": 1}]],
    "todoList": {"id": "l1", "title": "Done", "project": {"name": "Shop"}},
    "cover": None,
}


def passes(rules: Any, code: str, previous: Any = ..., current: Any = ..., match: str = "all") -> bool:
    return refusal(rules, code, previous, current, match) is None


def refusal(rules: Any, code: str, previous: Any = ..., current: Any = ..., match: str = "all") -> Refusal | None:
    rules = [rules] if isinstance(rules, tuple) else rules
    written = [{"path": path, "operator": operator, "value": value} for path, operator, value in rules]
    before, now = (None if value is ... else json.dumps(value).encode() for value in (previous, current))
    return judge(check({"match": match, "rules": written}), Values.of(code, before, now))


def holds(path: str, operator: str, value: Any = None, record: Any = RECORD) -> bool:
    return passes((path, operator, value), "TODO_CREATED", current=record)


TABLE = [
    # texts: capital letters and small ones alike, the whole text
    ("title", "is", "call ada LOVELACE", True),
    ("title", "is", "Call Ada", False),
    ("title", "is_not", "Call Ada", True),
    ("title", "is_not", "CALL ADA LOVELACE", False),
    ("title", "contains", "ADA", True),
    ("title", "contains", "Bob", False),
    ("title", "not_contains", "Bob", True),
    ("title", "not_contains", "ada", False),
    ("title", "starts_with", "call a", True),
    ("title", "starts_with", "Ada", False),
    ("title", "in", ["Bob", "Call Ada Lovelace"], True),
    ("title", "in", ["Bob", "Call"], False),
    ("title", "contains", ".*", False),
    ("title", "is", "Call.*", False),
    # what is found decides: numbers as numbers, texts as texts, true and false as such
    ("number", "is", 12.5, True),
    ("number", "is", "12.5", True),
    ("number", "is", "12.50", True),
    ("number", "is", "12,5", False),
    ("number", "is_not", "12.50", False),
    ("number", "in", ["1", "12.5"], True),
    ("number", "contains", "2.5", True),
    ("count", "is", 3.0, True),
    ("count", "is", True, False),
    ("count", "starts_with", "3", True),
    ("code", "is", "7", False),
    ("code", "is", 7, False),
    ("code", "is", "007", True),
    ("position", "is", 65535.5, True),
    ("done", "is", False, True),
    ("done", "is", "False", True),
    ("done", "is", 0, False),
    ("done", "is", "no", False),
    ("done", "is_not", True, True),
    # greater and less: numbers, also in texts, and dates
    ("number", "greater", 12, True),
    ("number", "greater", "12.5", False),
    ("number", "less", "12.51", True),
    ("number", "less", 12.5, False),
    ("position", "greater", 65535, True),
    ("position", "less", "65536", True),
    ("title", "greater", 1, False),
    ("title", "less", 1, False),
    ("done", "less", 1, False),
    ("duedAt", "greater", "2026-05-03", True),
    ("duedAt", "greater", "2026-05-04", False),
    ("duedAt", "less", "2026-05-05", True),
    ("duedAt", "less", "2026-05-04", False),
    ("duedAt", "greater", "2026-05-04T11:59:59Z", True),
    ("duedAt", "greater", "2026-05-04T14:00:00+02:00", False),
    ("duedAt", "less", "2026-05-04T12:00:00.001Z", True),
    ("duedAt", "less", 5, False),
    ("number", "less", "2026-05-04", False),
    ("day", "greater", "2026-05-03T23:59:59Z", True),
    ("day", "less", "2026-05-05", True),
    # dates: a day is the whole day, a moment the same moment in any zone
    ("duedAt", "is", "2026-05-04", True),
    ("duedAt", "is", "2026-05-05", False),
    ("duedAt", "is", "2026-05-04T14:00+02:00", True),
    ("duedAt", "is", "2026-05-04T12:00", True),
    ("duedAt", "is_not", "2026-05-04", False),
    ("duedAt", "in", ["2026-01-01", "2026-05-04"], True),
    ("day", "is", "2026-05-04T00:00Z", True),
    ("duedAt", "is", "2026-99-99", False),
    # there, or not: null, an empty text and an empty list are not
    ("title", "exists", None, True),
    ("done", "exists", None, True),
    ("todoList", "exists", None, True),
    ("todoTags", "exists", None, True),
    ("text", "exists", None, False),
    ("html", "exists", None, False),
    ("todoUsers", "exists", None, False),
    ("nothing", "exists", None, False),
    ("title", "not_exists", None, False),
    ("text", "not_exists", None, True),
    ("html", "not_exists", None, True),
    ("todoUsers.user.email", "not_exists", None, True),
    ("nothing.at.all", "not_exists", None, True),
    # what was created has not changed
    ("title", "changed", None, False),
    ("title", "changed_to", "Call Ada Lovelace", False),
    # a list: one item that fits is enough, and the opposites are opposites
    ("todoTags.tag.title", "is", "internal", True),
    ("todoTags.tag.title", "is", "News", False),
    ("todoTags.tag.title", "is_not", "Internal", False),
    ("todoTags.tag.title", "is_not", "News", True),
    ("todoTags.tag.title", "contains", "log", True),
    ("todoTags.tag.title", "not_contains", "log", False),
    ("todoTags.tag.title", "starts_with", "int", True),
    ("todoTags.tag.title", "in", ["x", "blog"], True),
    ("todoUsers.user.email", "is", "ada@example.com", False),
    ("todoUsers.user.email", "is_not", "ada@example.com", True),
    ("rows.cell", "is", "b", True),
    ("rows.cell", "is", "c", False),
    # a path that finds nothing makes no rule hold, but null is something
    ("nothing", "is", "x", False),
    ("nothing", "is_not", "x", False),
    ("nothing", "not_contains", "x", False),
    ("title.nothing", "is_not", "x", False),
    ("todoTags.nothing.title", "is_not", "x", False),
    ("text", "is_not", "x", True),
    ("text", "not_contains", "x", True),
    ("text", "is", "null", False),
    ("cover.title", "is_not", "x", True),
    ("todoList", "is", "Done", False),
    ("todoList.title", "is", "Done", True),
    ("todoList.project.name", "is", "Shop", True),
]


@pytest.mark.parametrize(("path", "operator", "value", "expected"), TABLE)
def test_each_operator_means_what_it_says(path: str, operator: str, value: Any, *, expected: bool) -> None:
    assert holds(f"record.{path}", operator, value) is expected
    assert holds(f"value.{path}", operator, value) is expected


def test_the_table_has_every_operator_holding_and_not() -> None:
    for operator in set(Operator) - {Operator.CHANGED, Operator.CHANGED_TO}:
        assert {expected for _, each, _, expected in TABLE if each == operator} == {True, False}, operator


def tagged(*titles: str) -> dict[str, Any]:
    return {"title": "Call", "done": False, "todoTags": [{"tag": {"title": title}} for title in titles]}


@pytest.mark.parametrize(
    ("before", "after", "rule", "expected"),
    [
        ({"title": "a"}, {"title": "b"}, ("value.title", "changed", None), True),
        ({"title": "a"}, {"title": "A"}, ("value.title", "changed", None), True),
        ({"title": "a"}, {"title": "a"}, ("value.title", "changed", None), False),
        ({"title": "a", "x": 1}, {"title": "a", "x": 2}, ("value.title", "changed", None), False),
        ({"done": 1}, {"done": True}, ("value.done", "changed", None), True),
        ({"n": 1}, {"n": 1.0}, ("value.n", "changed", None), False),
        ({}, {"title": None}, ("value.title", "changed", None), True),
        ({"list": {"a": [1]}}, {"list": {"a": [1]}}, ("value.list", "changed", None), False),
        ({"list": {"a": [1]}}, {"list": {"a": [2]}}, ("value.list", "changed", None), True),
        ({"list": {"a": 1}}, {"list": {"b": 1}}, ("value.list", "changed", None), True),
        (tagged("a"), tagged("a", "b"), ("value.todoTags.tag.title", "changed", None), True),
        (tagged("a"), tagged("a"), ("record.todoTags.tag.title", "changed", None), False),
        ({"title": "a"}, {"title": "b"}, ("value.title", "changed_to", "B"), True),
        ({"title": "a"}, {"title": "b"}, ("value.title", "changed_to", "c"), False),
        ({"title": "b"}, {"title": "b"}, ("value.title", "changed_to", "b"), False),
        ({"done": False}, {"done": True}, ("value.done", "changed_to", "true"), True),
        (tagged("a"), tagged("a", "b"), ("record.todoTags.tag.title", "changed_to", "b"), True),
        (tagged("a", "b"), tagged("b"), ("record.todoTags.tag.title", "changed_to", "b"), False),
        (None, {"title": "b"}, ("value.title", "changed", None), False),
        (None, {"title": "b"}, ("value.title", "changed_to", "b"), False),
    ],
)
def test_changes_are_seen_between_the_two_values(before: Any, after: Any, rule: Any, *, expected: bool) -> None:
    assert passes(rule, "TODO_NAME_CHANGED", before, after) is expected


def test_what_was_deleted_is_judged_as_it_was() -> None:
    assert passes(("record.title", "is", "Old"), "TODO_DELETED", {"title": "Old"}, None)
    assert not passes(("record.title", "is", "New"), "TODO_DELETED", {"title": "Old"}, None)
    assert not passes(("record.title", "changed", None), "TODO_DELETED", {"title": "Old"}, None)


def test_what_was_changed_is_judged_as_it_is_now() -> None:
    assert passes(("record.title", "is", "New"), "TODO_NAME_CHANGED", {"title": "Old"}, {"title": "New"})
    assert not passes(("record.title", "is", "Old"), "TODO_NAME_CHANGED", {"title": "Old"}, {"title": "New"})


COMMENT = {"text": "Great", "title": "of the comment", "todo": {"title": "of the record"}}


@pytest.mark.parametrize(
    ("code", "value"),
    [
        ("COMMENT_CREATED", COMMENT),
        ("TODO_CHECKLIST_CREATED", COMMENT),
        ("TODO_CHECKLIST_ITEM_CREATED", {"title": "of the item", "checklist": COMMENT}),
    ],
)
def test_record_is_what_the_event_belongs_to_and_value_the_entity_itself(code: str, value: Any) -> None:
    assert passes(("record.title", "is", "of the record"), code, current=value)
    assert passes(("value.title", "is_not", "of the record"), code, current=value)
    assert not passes(("value.title", "is", "of the record"), code, current=value)


def test_an_event_that_names_only_the_id_of_its_record_has_a_record() -> None:
    comment = {"text": "Great", "todoId": "r1"}
    assert passes(("record.id", "is", "r1"), "COMMENT_CREATED", current=comment)
    assert not passes(("record.title", "is", "x"), "COMMENT_CREATED", current=comment)


@pytest.mark.parametrize("code", ["TAG_CREATED", "TODO_LIST_CREATED", "CUSTOM_FIELD_CREATED"])
@pytest.mark.parametrize("operator", ["is", "exists", "not_exists", "changed", "changed_to"])
def test_a_rule_on_the_record_lets_events_without_a_record_pass(code: str, operator: str) -> None:
    assert passes(("record.title", operator, "x"), code, current={"title": "y"})
    assert not passes([("record.title", operator, "x"), ("value.title", "is", "x")], code, current={"title": "y"})


def test_each_event_type_of_the_catalogue_has_the_record_that_it_should() -> None:
    for code, kind in event_types(None).items():
        without = kind.entity in {"list", "tag", "customField"}
        assert Values.of(code, *sample_values(code)).has_record is not without, code


def test_all_wants_every_rule_and_any_wants_one() -> None:
    rules = [("value.title", "is", "a"), ("value.title", "is", "b")]
    assert not passes(rules, "TODO_CREATED", current={"title": "a"})
    assert passes(rules, "TODO_CREATED", current={"title": "b"}, match="any")
    assert not passes(rules, "TODO_CREATED", current={"title": "c"}, match="any")


def test_no_rules_let_everything_pass() -> None:
    assert passes([], "TODO_CREATED", current={"title": "a"})


def test_a_refusal_names_the_rule_and_what_it_saw() -> None:
    rules = [("record.title", "contains", "Ada"), ("record.todoList.title", "is", "Done")]
    refused = refusal(rules, "TODO_CREATED", current={"title": "Call Ada", "todoList": {"title": "Backlog"}})
    assert refused is not None
    assert refused.stored == {
        "match": "all",
        "rule": 1,
        "path": "record.todoList.title",
        "operator": "is",
        "value": "Done",
        "found": "Backlog",
    }


def test_a_refusal_about_a_change_says_what_was_there_before() -> None:
    refused = refusal(("value.title", "changed_to", "b"), "TODO_NAME_CHANGED", {"title": "b"}, {"title": "b"})
    assert refused is not None
    assert (refused.stored["found"], refused.stored["before"]) == ("b", "b")


@pytest.mark.parametrize(
    ("found", "shown"),
    [
        ("x" * 200, "x" * 79 + "…"),
        (["a", "b"], ["a", "b"]),
        (list("abcdefg"), [*"abcde", "…"]),
        ([], None),
        ({"a": {"b": 1}}, "{…}"),
        (None, None),
        (True, True),
        (2**80, str(2**80)),
        ("a\0b", "a�b"),
        ("a\ud800b", "a?b"),
        ([["a"], {"b": 1}], ["a", "{…}"]),
    ],
)
def test_what_a_rule_saw_is_kept_short(found: Any, shown: Any) -> None:
    refused = refusal(("value.x", "is", "no"), "TODO_CREATED", current={"x": found})
    assert refused is not None
    assert refused.found == shown
    json.dumps(refused.stored, ensure_ascii=False).encode()


TAGS = {"todoTags": [{"id": "rt1", "tagId": "t1", "tag": {"id": "t1", "title": "Blog"}}, {"id": "rt2", "tagId": "t2"}]}


@pytest.mark.parametrize(
    ("path", "operator", "value", "expected"),
    [
        ("todoTags[t1].tag.title", "is", "Blog", True),
        ("todoTags[rt1].tag.title", "is", "Blog", True),
        ("todoTags[t2].tag.title", "is", "Blog", False),
        ("todoTags[t3].tag.title", "is_not", "Blog", True),
        ("todoTags[t3].tag.title", "not_exists", None, True),
        ("todoTags[t3]", "exists", None, False),
        ("todoTags[t2]", "exists", None, True),
        ("nothing[t1].title", "is_not", "Blog", False),
        ("todoTags.tag[t1].title", "is", "Blog", True),
    ],
)
def test_brackets_pick_the_items_with_an_id(path: str, operator: str, value: Any, *, expected: bool) -> None:
    assert holds(f"record.{path}", operator, value, TAGS) is expected


def test_a_change_of_one_item_is_told_from_that_of_another() -> None:
    before = {"todoTags": [{"tagId": "t1", "n": 1}, {"tagId": "t2", "n": 1}]}
    after = {"todoTags": [{"tagId": "t1", "n": 1}, {"tagId": "t2", "n": 2}]}
    for wanted, expected in (("t1", False), ("t2", True)):
        assert passes((f"record.todoTags[{wanted}].n", "changed", None), "TODO_TAG_ADDED", before, after) is expected
