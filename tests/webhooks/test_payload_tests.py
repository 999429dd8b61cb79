"""What each rule of a filter says about one payload: the last one, or one that was pasted."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.conftest import Cast
from tests.factories import Make
from webapp.delivery.event_types import event_types, example
from webapp.models import Invalid, PayloadFormat, utc_now
from webapp.webhooks import payload_tests
from webapp.webhooks.payload_tests import PayloadTest, against_last, against_pasted


def written(*rules: tuple[str, str, Any], match: str = "all") -> dict[str, Any]:
    names = ("path", "operator", "value")
    return {"match": match, "rules": [dict(zip(names, rule, strict=True)) for rule in rules]}


ADA, DONE = ("record.title", "contains", "Ada"), ("record.done", "is", "true")
MOVED = written(("record.todoList.title", "changed_to", "Done"), ADA)


def found(test: PayloadTest | None) -> list[tuple[bool, Any, Any]]:
    assert test is not None
    return [(each.holds, each.found, each.before) for each in test.findings]


def happen(make: Make, cast: Cast, title: str, **values: Any) -> None:
    body = json.dumps({"title": title, "done": False}).encode()
    make.event(make.project_of(cast.admin), current_value=body, fanned_out_at=utc_now(), **values)


def test_the_last_event_is_judged_rule_by_rule(make: Make, cast: Cast) -> None:
    happen(make, cast, "Call Bob")
    happen(make, cast, "Call Ada")
    make.event(make.project_of(cast.stranger), current_value=b'{"title":"foreign"}')
    test = against_last(cast.admin, written(ADA, DONE))
    assert found(test) == [(True, "Call Ada", None), (False, False, None)]
    assert test is not None
    assert (test.name, test.event_type, test.passes) == ("Call Ada", "TODO_CREATED", False)
    assert test.event_id.startswith("evt_")
    any_of_them = against_last(cast.admin, written(ADA, DONE, match="any"))
    assert any_of_them is not None
    assert any_of_them.passes


def test_it_is_the_last_of_the_chosen_types_and_projects(make: Make, cast: Cast) -> None:
    happen(make, cast, "Call Ada", type="TODO_DELETED")
    happen(make, cast, "Call Bob")
    test = against_last(cast.admin, written(ADA), ["TODO_DELETED"])
    assert found(test) == [(True, "Call Ada", None)]
    assert against_last(cast.admin, written(ADA), ["TAG_CREATED"]) is None
    assert against_last(cast.admin, written(ADA), [], [make.project_of(cast.stranger).id]) is None


def test_a_pasted_payload_is_judged_with_both_values() -> None:
    before = {"title": "Call Ada", "todoList": {"title": "Doing"}}
    payload = {
        "event": "TODO_MOVED",
        "previousValue": before,
        "currentValue": {**before, "todoList": {"title": "Done"}},
    }
    test = against_pasted(MOVED, json.dumps(payload))
    assert found(test) == [(True, "Done", "Doing"), (True, "Call Ada", None)]
    assert test.passes


@pytest.mark.parametrize("code", event_types(None))
def test_every_example_of_the_full_format_can_be_pasted(code: str) -> None:
    assert against_pasted(None, example(code, PayloadFormat.FULL).decode()).event_type == code


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "Enter a JSON object, in braces."),
        ('{"event": "TODO_MOVED",\r\n}', "This is not valid JSON (line 2)."),
        (example("TODO_MOVED", PayloadFormat.COMPACT).decode(), payload_tests.NOT_FULL),
        ('{"event": "TODO_MOVED"}', payload_tests.NOT_FULL),
        ('{"event": ["TODO_MOVED"], "currentValue": {}}', payload_tests.NOT_FULL),
        ('{"event": "TODO_MOVED", "currentValue": {"title": "\\ud800"}}', "A text holds \\ud800"),
        ('{"event": "TODO_MOVED", "currentValue": {"n": NaN}}', "JSON has no number for NaN."),
    ],
)
def test_what_is_no_payload_of_the_full_format_is_refused_at_its_field(text: str, sentence: str) -> None:
    with pytest.raises(Invalid) as caught:
        against_pasted(written(ADA), text)
    assert set(caught.value.fields) == {"filter_payload"}
    assert caught.value.sentence.startswith(sentence)


def test_a_filter_that_cannot_be_read_is_refused_at_its_rule(make: Make, cast: Cast) -> None:
    with pytest.raises(Invalid) as caught:
        against_last(cast.admin, written(("title", "is", "x")))
    assert set(caught.value.fields) == {"filter.rules.0.path"}
