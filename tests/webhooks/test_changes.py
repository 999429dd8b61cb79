"""What an event changed: field by field, members of lists by their id, never more than fits."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.webhooks.changes import MAX_ROWS, MISSING, Change, changes, of_bytes

TEXTS = st.text("abc", min_size=1, max_size=2)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.floats(allow_nan=False) | TEXTS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(TEXTS, inner, max_size=3)
        | st.lists(st.fixed_dictionaries({"id": TEXTS, "v": inner}), max_size=3)
    ),
    max_leaves=12,
)
OBJECTS = st.dictionaries(TEXTS, VALUES, max_size=4)


@pytest.mark.parametrize(
    ("previous", "current", "expected"),
    [
        ({"title": "A"}, {"title": "A"}, []),
        ({"title": "A"}, {"title": "B"}, [("title", "A", "B")]),
        ({"done": 1}, {"done": True}, [("done", 1, True)]),
        ({"due": None}, {}, [("due", None, MISSING)]),
        ({}, {"due": None}, [("due", MISSING, None)]),
        ({"list": {"id": "1", "title": "A"}}, {"list": {"id": "2", "title": "A"}}, [("list.id", "1", "2")]),
        ({"updatedAt": 1, "title": "A"}, {"updatedAt": 2, "title": "B"}, [("title", "A", "B"), ("updatedAt", 1, 2)]),
        ({"tags": [{"id": "a"}]}, {"tags": [{"id": "a"}, {"id": "b"}]}, [("tags[b]", MISSING, {"id": "b"})]),
        ({"tags": [{"id": "a"}]}, {"tags": []}, [("tags[a]", {"id": "a"}, MISSING)]),
        ({"tags": [{"id": "a", "t": 1}]}, {"tags": [{"id": "a", "t": 2}]}, [("tags[a].t", 1, 2)]),
        ({"tags": [1, 2]}, {"tags": [2]}, [("tags", [1, 2], [2])]),
        (
            {"tags": [{"id": "a"}, {"id": "b"}]},
            {"tags": [{"id": "b"}, {"id": "a"}]},
            [("tags", [{"id": "a"}, {"id": "b"}], [{"id": "b"}, {"id": "a"}])],
        ),
        (None, {"title": "A"}, []),
        ({"title": "A"}, None, []),
    ],
)
def test_the_differing_fields_are_named_with_what_was_and_what_is(
    previous: Any, current: Any, expected: list[tuple[str, Any, Any]]
) -> None:
    assert [(change.name, change.before, change.after) for change in changes(previous, current).rows] == expected


def test_a_path_is_shown_without_the_members_of_lists_where_words_are_looked_up() -> None:
    assert Change(("todoTags", "[cl1]", "tag", "title"), "A", "B").field == "todoTags.tag.title"


def test_more_changes_than_fit_are_counted() -> None:
    found = changes({}, {str(number): number for number in range(MAX_ROWS + 7)})
    assert (len(found.rows), found.left_off) == (MAX_ROWS, 7)


@pytest.mark.parametrize("previous", [None, b"", b"no", b"\xff", b"[" * 100_000, b"null"])
def test_values_that_cannot_be_read_have_no_changes(previous: bytes | None) -> None:
    assert of_bytes(previous, b"{}").rows == []


def test_a_value_nested_very_deep_is_compared_as_a_whole() -> None:
    deep = b'{"a":' * 400 + b"%d" + b"}" * 400
    (change,) = of_bytes(deep % 1, deep % 2).rows
    assert len(change.path) < 50


@given(VALUES, VALUES)
def test_no_value_makes_it_fail_and_equal_ones_have_no_changes(previous: Any, current: Any) -> None:
    changes(previous, current)
    assert changes(current, current).rows == []


@given(OBJECTS, OBJECTS)
def test_applying_the_changes_to_the_value_before_gives_the_value_after(previous: Any, current: Any) -> None:
    value = json.loads(json.dumps(previous))
    for change in changes(previous, current).rows:
        value = _applied(value, change.path, change.after)
    assert _canonical(value) == _canonical(current)


def _applied(value: Any, path: tuple[str, ...], after: Any) -> Any:
    if not path:
        return after
    first, *rest = path
    if isinstance(value, list):
        members = {f"[{member['id']}]": member for member in value}
        members[first] = _applied(members.get(first), tuple(rest), after)
        return [member for member in members.values() if member is not MISSING]
    new = {**value, first: _applied(value.get(first), tuple(rest), after)}
    return {name: each for name, each in new.items() if each is not MISSING}


def _canonical(value: Any) -> Any:
    """Without the order: a change of members does not tell where a new one stands."""
    if isinstance(value, dict):
        return "{", sorted((name, _canonical(each)) for name, each in value.items())
    if isinstance(value, list):
        return "[", sorted(repr(_canonical(each)) for each in value)
    return type(value).__name__, repr(value)


def test_words_stand_before_ids() -> None:
    before = {"todoListId": "a", "todoList": {"id": "a", "title": "To do"}}
    after = {"todoListId": "b", "todoList": {"id": "b", "title": "Done"}}
    assert [row.name for row in changes(before, after).rows] == ["todoList.title", "todoListId", "todoList.id"]


def test_what_interests_nobody_stands_last() -> None:
    found = changes(
        {"position": 1, "uid": "a", "updatedAt": 1, "title": "A"}, {"position": 2, "uid": "b", "title": "B"}
    )
    assert [change.name for change in found.rows] == ["title", "position", "uid", "updatedAt"]
