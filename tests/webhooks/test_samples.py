"""The values of a test: examples to read and edit, and what people make of them."""

from __future__ import annotations

import pytest

from tests.conftest import Cast
from tests.factories import Make
from webapp.delivery.event_types import HEALTH_CHECK, event_types
from webapp.models import Invalid
from webapp.webhooks import log, pings, samples
from webapp.webhooks.samples import Draft


@pytest.mark.parametrize("code", event_types(None))
def test_an_example_that_nobody_edited_is_sent_as_it_stands_in_the_catalogue(code: str) -> None:
    draft = samples.example(code)
    as_a_form_sends_it = Draft(*(each and each.replace("\n", "\r\n") for each in (draft.previous, draft.current)))
    assert samples.typed(code, as_a_form_sends_it) == pings.Values(*samples.sample_values(code))


def test_what_is_created_has_no_previous_value_and_what_is_deleted_no_current_one() -> None:
    assert samples.example("TODO_CREATED").previous is None
    assert samples.example("TODO_DELETED").current is None
    assert samples.typed("TODO_CREATED", Draft("not read", "{}")) == pings.Values(None, b"{}")
    assert samples.typed("TODO_DELETED", Draft("{}", "not read")) == pings.Values(b"{}", b"null")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "Enter a JSON object, in braces."),
        (" \n ", "Enter a JSON object, in braces."),
        ("[1]", "Enter a JSON object, in braces."),
        ("null", "Enter a JSON object, in braces."),
        ('{"a": 1,\r\n\r\n\r\n "b": }', "This is not valid JSON (line 4)."),
        ('{"a": 1} x', "This is not valid JSON (line 1)."),
        ("{'a': 1}", "This is not valid JSON (line 1)."),
        ('{"a": NaN}', "JSON has no number for NaN."),
        ('{"a": 1e999}', "JSON has no number for inf."),
        ('{"a": "\\ud800"}', "A text holds \\ud800, which is only half of a character."),
        ('{"a": ' + "9" * 5000 + "}", "A number or the nesting in this JSON is too large."),
        ('{"a": ' * 100_000, "A number or the nesting in this JSON is too large."),
        ('{"a": ' * 300 + "1" + "}" * 300, "Values can be nested 200 levels deep at most."),
    ],
)
def test_what_is_wrong_stands_at_its_value(text: str, sentence: str) -> None:
    with pytest.raises(Invalid) as caught:
        samples.typed("TODO_MOVED", Draft("{}", text))
    assert {field: error.sentence for field, error in caught.value.fields.items()} == {"current_value": sentence}


def test_both_values_can_be_wrong_at_once() -> None:
    with pytest.raises(Invalid) as caught:
        samples.typed("TODO_MOVED", Draft("{", "}"))
    assert set(caught.value.fields) == {"previous_value", "current_value"}


def test_numbers_are_written_as_everything_that_is_sent() -> None:
    assert samples.typed("TODO_CREATED", Draft(None, '{"a": 1.0, "b": 1e-7, "ä": "ü"}')).current == (
        '{"a":1,"b":1e-7,"ä":"ü"}'.encode()
    )


def test_the_preview_is_what_is_sent_byte_for_byte(cast: Cast, make: Make) -> None:
    for payload_format in ("full", "compact"):
        webhook = make.webhook(by=cast.admin, payload_format=payload_format)
        values = samples.typed("TODO_MOVED", Draft('{"title": "a"}', '{"title": "b"}'))
        previews = [pings.body(webhook, "TODO_MOVED", each, by=cast.admin) for each in (values, None)]
        sent = [pings.test(webhook, "TODO_MOVED", each, by=cast.admin) for each in (values, None)]
        assert [log.body(each) for each in sent] == previews
        assert log.body(pings.ping(webhook, by=cast.admin)) == pings.body(webhook, HEALTH_CHECK, None, by=cast.admin)
