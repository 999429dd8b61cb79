"""Bodies: the user's sample from rows, the notation of JavaScript, and the two formats."""

from __future__ import annotations

import base64
import json
import subprocess
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.factories import Make
from tests.requirements import requires
from webapp.delivery import payloads, signing
from webapp.delivery.payloads import json_bytes
from webapp.models import Record, User, Webhook

CASES = Path(__file__).parents[1] / "cases"
SAMPLE = (CASES / "seed-sample.json").read_bytes()
SHOWN = json.loads(SAMPLE)

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
SCALARS = st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(SCALARS | TEXTS, lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner), max_leaves=20)


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.fixture
def ada(make: Make) -> User:
    return make.user(id="claksl2ye0000vtas0h0ln71e")


@pytest.fixture
def sample_record(make: Make, ada: User) -> Record:
    """The rows behind the user's sample, in the database."""
    todo, todo_list = SHOWN["currentValue"], SHOWN["currentValue"]["todoList"]
    shown_project = todo_list["project"]
    shown_company = shown_project["company"]
    company = make.company(
        **names(shown_company, "id uid slug name description"),
        **moments(shown_company),
        free_trial_started_at=moment(shown_company["freeTrialStartedAt"]),
        free_trial_expired_at=moment(shown_company["freeTrialExpiredAt"]),
        subscription_plan_id=shown_company["subscriptionPlanId"],
    )
    project = make.project(
        owner=ada, company=company, **names(shown_project, "id uid slug name description"), **moments(shown_project)
    )
    list_ = make.list(
        project, **names(todo_list, "id uid title"), **moments(todo_list), position=131070.0, created_by_id=ada.id
    )
    return make.record(
        list_, **names(todo, "id uid title html text"), **moments(todo), position=32767.5, created_by_id=ada.id
    )


@pytest.fixture
def sample_webhook(make: Make, ada: User) -> Webhook:
    shown = SHOWN["webhook"]
    return make.webhook(
        ada,
        **names(shown, "id uid name url"),
        **moments(shown),
        events=shown["metadata"]["events"],
        project_ids=shown["metadata"]["projectIds"],
    )


def names(shown: dict[str, Any], keys: str) -> dict[str, Any]:
    return {key: shown[key] for key in keys.split()}


def moments(shown: dict[str, Any]) -> dict[str, datetime]:
    return {"created_at": moment(shown["createdAt"]), "updated_at": moment(shown["updatedAt"])}


def test_the_sample_of_the_user_comes_out_of_rows_byte_for_byte(sample_record: Record, sample_webhook: Webhook) -> None:
    body = payloads.body(
        code="TODO_CREATED",
        snapshot=payloads.to_json(payloads.webhook(sample_webhook)),
        previous=None,
        current=payloads.to_json(payloads.record(sample_record)),
    )
    assert body == SAMPLE
    assert len(body) == 2334
    assert signing.signature(body, "secret") == "b14d2eb10edce224ca39a63e0fdba007c2e1f163efd4ebb07556807956bbf11f"


def test_the_secret_of_a_webhook_is_never_shown(sample_webhook: Webhook) -> None:
    assert sample_webhook.is_signed
    assert payloads.webhook(sample_webhook)["secret"] == ""
    assert list(payloads.webhook(sample_webhook)) == list(SHOWN["webhook"])


def test_a_whole_position_is_a_text_without_a_point_for_a_record_and_a_number_for_a_list(make: Make) -> None:
    record = make.record(make.list(position=131070.0), position=65535.0)
    value = json.loads(payloads.to_json(payloads.record(record)))
    assert value["position"] == "65535"
    assert payloads.to_json(payloads.record_list(record.list)["position"]) == b"131070"


def test_a_person_is_shown_with_names_and_without_anything_secret(make: Make) -> None:
    shown = payloads.user(make.user(name="Ada King Lovelace", time_zone="Europe/Berlin"))
    assert (shown["firstName"], shown["lastName"], shown["timezone"]) == ("Ada", "King Lovelace", "Europe/Berlin")
    assert " ".join(shown) == (
        "id uid username email firstName lastName jobTitle phoneNumber timezone locale dateFormat imageId "
        "createdAt updatedAt"
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (131070.0, "131070"),
        (32767.5, "32767.5"),
        (-0.0, "0"),
        (0.1, "0.1"),
        (1e16, "10000000000000000"),
        (1.2345678901234568e20, "123456789012345680000"),
        (1e21, "1e+21"),
        (1.5e300, "1.5e+300"),
        (0.00001, "0.00001"),
        (0.0000015, "0.0000015"),
        (1e-7, "1e-7"),
        (12345678901234567890123456789, "12345678901234567890123456789"),
        (True, "true"),
        (None, "null"),
        ({"a": [1.0, {"b": 2.0}], "c": ()}, '{"a":[1,{"b":2}],"c":[]}'),
        ("Größe – 100 €, 👩‍👧", '"Größe – 100 €, 👩‍👧"'),
        ("\u2028\u2029\x7f", '"\u2028\u2029\x7f"'),
        ('"\\/\b\f\n\r\t\x00\x1f', '"\\"\\\\/\\b\\f\\n\\r\\t\\u0000\\u001f"'),
        ({"é": {}, "": []}, '{"é":{},"":[]}'),
    ],
)
def test_values_are_written_as_javascript_writes_them(value: object, text: str) -> None:
    assert payloads.to_json(value) == text.encode()


@pytest.mark.parametrize(
    ("value", "part"),
    [
        (float("nan"), "nan"),
        ([float("inf")], "inf"),
        ({"a": "x\ud83d"}, r"\ud83d"),
        ({"\udc00": 1}, r"\udc00"),
    ],
)
def test_what_json_cannot_hold_is_refused_by_name(value: object, part: str) -> None:
    with pytest.raises(payloads.NotJson) as refusal:
        payloads.to_json(value)
    assert part in str(refusal.value)


def test_nesting_without_end_is_refused() -> None:
    value: list[Any] = []
    for _ in range(199):
        value = [value]
    assert payloads.to_json(value) == b"[" * 200 + b"]" * 200
    with pytest.raises(payloads.NotJson, match="200 levels"):
        payloads.to_json([[value]])


@pytest.mark.parametrize("value", [{1: "a"}, {"a": object()}, b"bytes", {1, 2}])
def test_other_kinds_of_values_are_mistakes_of_ours(value: object) -> None:
    with pytest.raises(TypeError, match="in JSON"):
        payloads.to_json(value)


@given(VALUES)
def test_what_was_written_once_is_written_the_same_again(value: object) -> None:
    written = payloads.to_json(value)
    assert payloads.to_json(json.loads(written)) == written


@given(VALUES)
def test_the_quick_way_to_write_a_value_writes_what_the_careful_one_does(value: object) -> None:
    quick = payloads.to_json(value)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_bytes, "_is_plain", lambda *_: False)
        assert payloads.to_json(value) == quick


@settings(max_examples=20, deadline=None)
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=100), TEXTS)
def test_node_writes_the_same_numbers_and_texts(numbers: list[float], text: str) -> None:
    body = payloads.to_json({"numbers": numbers, "text": text})
    request = {"secret": "", "body": base64.b64encode(body).decode(), "id": "", "timestamp": 0}
    answer = subprocess.run(
        [requires("node"), str(Path(__file__).parents[1] / "verify.mjs")],
        input=json.dumps(request).encode(),
        capture_output=True,
        check=True,
    )
    assert json.loads(answer.stdout)["sameWhenWrittenAgain"]


def test_moments_are_utc_with_three_digits() -> None:
    east = timezone(timedelta(hours=2))
    assert payloads.instant(datetime(2022, 12, 1, 9, 1, 25, 14999, tzinfo=east)) == "2022-12-01T07:01:25.014Z"
    assert payloads.instant(datetime(2022, 12, 1, tzinfo=UTC)) == "2022-12-01T00:00:00.000Z"


def test_a_missing_value_leaves_no_key_and_null_leaves_one() -> None:
    created = payloads.body(code="TAG_CREATED", snapshot=b"{}", previous=None, current=b'{"a":1}')
    deleted = payloads.body(code="TAG_DELETED", snapshot=b"{}", previous=b'{"a":1}', current=b"null")
    assert created == b'{"event":"TAG_CREATED","webhook":{},"currentValue":{"a":1}}'
    assert deleted == b'{"event":"TAG_DELETED","webhook":{},"previousValue":{"a":1},"currentValue":null}'


def test_a_ping_has_two_keys() -> None:
    assert payloads.health_check(b'{"id":"c1"}') == b'{"event":"WEBHOOK_HEALTH_CHECK","webhook":{"id":"c1"}}'


def compact(code: str, previous: object = ..., current: object = ..., user_id: str | None = "1213") -> dict[str, Any]:
    body = payloads.compact(
        code=code,
        previous=None if previous is ... else payloads.to_json(previous),
        current=None if current is ... else payloads.to_json(current),
        company_id="5678",
        project_id="91011",
        user_id=user_id,
    )
    document: dict[str, Any] = json.loads(body)
    return document


def test_the_compact_form_is_the_short_example_of_the_user() -> None:
    body = payloads.compact(
        code="TODO_CREATED",
        previous=None,
        current=b'{"id":"1234","title":"New record"}',
        company_id="5678",
        project_id="91011",
        user_id="1213",
    )
    assert body == (
        b'{"event":"RECORD_CREATED","record":{"id":"1234","title":"New record"},'
        b'"company":{"id":"5678"},"project":{"id":"91011"},"user":{"id":"1213"}}'
    )


@pytest.mark.parametrize(
    ("code", "word", "key"),
    [
        ("TODO_DUE_DATE_ADDED", "RECORD_DUE_DATE_ADDED", "record"),
        ("TODO_CUSTOM_FIELD_UPDATED", "RECORD_CUSTOM_FIELD_UPDATED", "record"),
        ("TODO_TAG_ADDED", "RECORD_TAG_ADDED", "record"),
        ("TODO_LIST_CREATED", "LIST_CREATED", "list"),
        ("TODO_CHECKLIST_CREATED", "CHECKLIST_CREATED", "checklist"),
        ("TODO_CHECKLIST_ITEM_DUE_DATE_ADDED", "CHECKLIST_ITEM_DUE_DATE_ADDED", "checklistItem"),
        ("COMMENT_UPDATED", "COMMENT_UPDATED", "comment"),
        ("TAG_CREATED", "TAG_CREATED", "tag"),
        ("CUSTOM_FIELD_CREATED", "CUSTOM_FIELD_CREATED", "customField"),
    ],
)
def test_the_compact_form_has_its_own_words(code: str, word: str, key: str) -> None:
    document = compact(code, current={"id": "1"})
    assert payloads.compact_word(code) == document["event"] == word
    assert list(document) == ["event", key, "company", "project", "user"]


def test_health_checks_keep_their_word() -> None:
    assert payloads.compact_word(payloads.HEALTH_CHECK) == "WEBHOOK_HEALTH_CHECK"


def test_changes_name_what_differs_from_and_to() -> None:
    before = {"id": "1", "title": "A", "done": 1, "updatedAt": "x", "todoListId": "a", "todoList": {"id": "a"}}
    after = {"id": "1", "title": "B", "done": True, "updatedAt": "y", "todoListId": "b", "todoList": {"id": "b"}}
    assert compact("TODO_MOVED", before, after)["changes"] == {
        "title": {"from": "A", "to": "B"},
        "done": {"from": 1, "to": True},
        "todoListId": {"from": "a", "to": "b"},
    }


def test_changes_name_keys_that_came_and_went() -> None:
    document = compact("TAG_UPDATED", {"gone": 1, "same": {"a": 1, "b": 2}}, {"same": {"b": 2, "a": 1}, "new": 2})
    assert document["changes"] == {"new": {"from": None, "to": 2}, "gone": {"from": 1, "to": None}}


def test_a_deletion_carries_what_was_there() -> None:
    document = compact("TODO_DELETED", {"id": "1"}, None)
    assert document["record"] == {"id": "1"}
    assert "changes" not in document


def test_a_change_without_a_previous_value_names_no_changes() -> None:
    assert "changes" not in compact("TODO_NAME_CHANGED", current={"id": "1"})


def test_the_record_and_the_project_stand_beside_the_entity_and_not_inside() -> None:
    todo = {"id": "r", "todoListId": "l", "todoList": {"id": "l", "project": {"id": "p", "company": {"id": "c"}}}}
    item = {"id": "i", "checklist": {"id": "k", "todo": todo}}
    assert compact("TODO_CHECKLIST_ITEM_CREATED", current=item) == {
        "event": "CHECKLIST_ITEM_CREATED",
        "checklistItem": {"id": "i", "checklist": {"id": "k"}},
        "record": {"id": "r", "todoListId": "l", "todoList": {"id": "l"}},
        "company": {"id": "5678"},
        "project": {"id": "91011"},
        "user": {"id": "1213"},
    }


def test_nobody_in_particular_is_null() -> None:
    assert compact("TAG_CREATED", current={"id": "1"}, user_id=None)["user"] is None


@pytest.mark.parametrize("value", ["text", 7, None, [1], {"todo": "text", "project": 3, "checklist": 1}])
def test_values_of_any_shape_pass(value: object) -> None:
    assert compact("COMMENT_UPDATED", value, value)["comment"] == value
    assert compact("COMMENT_UPDATED", value, {"id": "1"})["comment"] == {"id": "1"}


@given(VALUES, VALUES)
def test_the_compact_form_never_fails(previous: object, current: object) -> None:
    assert compact("TODO_CHECKLIST_ITEM_NAME_CHANGED", previous, current)["project"] == {"id": "91011"}
