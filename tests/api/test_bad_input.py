"""What is wrong with a call is said with its place and its remedy, and nothing is stored."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.api.conftest import Program
from tests.conftest import Cast
from tests.factories import Make
from webapp.models import Base, Company, Event, IdempotencyKey, Project, Webhook

Count = Callable[[type[Base]], int]

FIELDS = "There are: event, projectId, previousValue, currentValue, userId."
OBJECT = {"id": "r", "title": "x"}
ONLY_JSON = "Send the body as JSON in UTF-8, not compressed, with `Content-Type: application/json`."

# What is changed in a right event, and what is said of it.
WRONG_EVENTS: list[tuple[dict[str, Any], list[tuple[str, str]]]] = [
    ({"event": None}, [("event", "This cannot be null. Leave the field out instead.")]),
    ({"event": 7}, [("event", "Send a text.")]),
    ({"event": "NOPE"}, [("event", "There is no event type “NOPE”. GET /api/v1/event-types lists all.")]),
    ({"event": "X\r\nY"}, [("event", "There is no event type “X\r\nY”. GET /api/v1/event-types lists all.")]),
    ({"event": "WEBHOOK_HEALTH_CHECK"}, [("event", "There is no event type “WEBHOOK_HEALTH_CHECK”. GET")]),
    ({"event": ...}, [("event", "This field is missing.")]),
    ({"event": ..., "projectId": ...}, [("event", "This field is missing."), ("projectId", "This field is missing.")]),
    ({"projectId": "nowhere"}, [("projectId", "You have no project with this id. PUT /api/v1/projects/{id} makes")]),
    ({"projectId": "a\0b"}, [("projectId", "Leave out the NUL character.")]),
    ({"projectId": ["a"]}, [("projectId", "Send a text.")]),
    ({"userId": "nobody"}, [("userId", "The project has no member with this id. Leave userId out to act yourself.")]),
    ({"userId": 0}, [("userId", "Send a text.")]),
    ({"userId": False}, [("userId", "Send a text.")]),
    ({"userId": "a\0b"}, [("userId", "Leave out the NUL character.")]),
    ({"currentValue": ...}, [("currentValue", "Send currentValue: the object as it is now.")]),
    ({"currentValue": None}, [("currentValue", "Send currentValue: the object as it is now.")]),
    ({"currentValue": "text"}, [("currentValue", "Send a JSON object.")]),
    ({"currentValue": [1]}, [("currentValue", "Send a JSON object.")]),
    ({"previousValue": OBJECT}, [("previousValue", "What was just created has no previous value.")]),
    ({"previousValue": None}, [("previousValue", "What was just created has no previous value.")]),
    ({"event": "TODO_DELETED"}, [("currentValue", "What was deleted has no current value.")]),
    ({"companyId": "acme"}, [("companyId", f"There is no such field here. {FIELDS}")]),
    ({"project_id": "acme"}, [("project_id", f"There is no such field here. {FIELDS}")]),
    ({"id": "evt_mine"}, [("id", f"There is no such field here. {FIELDS}")]),
]


@pytest.fixture
def project(cast: Cast, make: Make) -> Project:
    return make.project_of(cast.admin)


@pytest.fixture
def right(project: Project) -> dict[str, Any]:
    return {"event": "TODO_CREATED", "projectId": project.id, "currentValue": OBJECT}


def is_problem(answer: Any, status: int) -> bool:
    problem = answer.json
    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json"), answer.text
    assert list(problem)[:4] == ["type", "title", "status", "detail"]
    assert problem["status"] == status
    assert problem["requestId"] == answer.headers["X-Request-Id"]
    return bool(problem["detail"])


@pytest.mark.proves("W30")
def test_a_wrong_event_is_refused_at_its_field_alone_as_in_a_batch(
    api: Program, right: dict[str, Any], count: Count
) -> None:
    for changes, errors in WRONG_EVENTS:
        wrong = {name: value for name, value in {**right, **changes}.items() if value is not ...}
        alone = api.post("/events", wrong, headers={"Idempotency-Key": "k"})
        batch = api.post("/events/batch", {"events": [right, wrong]}, headers={"Idempotency-Key": "k"})
        for answer, place in ((alone, ""), (batch, "events.1.")):
            assert is_problem(answer, 422), changes
            said = [(error["field"], error["detail"]) for error in answer.json["errors"]]
            assert [field for field, _ in said] == [f"{place}{field}" for field, _ in errors], changes
            assert all(sentence.startswith(errors[number][1]) for number, (_, sentence) in enumerate(said)), said
    assert (count(Event), count(IdempotencyKey)) == (0, 0)


WRONG_BODIES = [
    (b"", 400, "The body is empty. Send a JSON object."),
    (b'{"event": ', 400, "The body is not JSON: Expecting value at line 1, column 11."),
    (b'{"event": "a", "event": "b"}', 400, "An object has the name “event” twice. Send each name once."),
    (b'{"currentValue": {"a": NaN}}', 400, "JSON has no number NaN. Send null, or a text."),
    (b'{"currentValue": {"a": 1e400}}', 400, "The number 1e400 is too large to be kept. Send it as a text."),
    (
        b'{"a": "\\ud800"}',
        400,
        "A text holds \\ud800, which is only half of a character. Send both halves, or none.",
    ),
    (b'{"a":' * 100 + b"1" + b"}" * 100, 400, "The values are nested too deeply: 64 levels are the most."),
    (b"[]", 422, "Send a JSON object."),
    (b'"text"', 422, "Send a JSON object."),
    (b"null", 422, "Send a JSON object."),
]


def test_a_body_that_is_no_such_json_is_refused(api: Program, count: Count) -> None:
    for body, status, sentence in WRONG_BODIES:
        for path in ("/events", "/events/batch"):
            answer = api.post(path, data=body)
            assert is_problem(answer, status)
            assert answer.json["detail"] == sentence
    assert count(Event) == 0


def test_a_body_that_is_not_called_json_is_refused(api: Program, right: dict[str, Any], count: Count) -> None:
    for media_type in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""):
        answer = api.post("/events", data=json.dumps(right), content_type=media_type)
        assert is_problem(answer, 415)
        assert answer.json["detail"] == ONLY_JSON
    assert count(Event) == 0


def test_a_compressed_body_is_refused(api: Program, right: dict[str, Any]) -> None:
    assert is_problem(api.post("/events", right, headers={"Content-Encoding": "gzip"}), 415)


@pytest.mark.parametrize(
    ("path", "most"), [("/events", 256 * 1024), ("/events/batch", 8 * 1024 * 1024), ("/webhooks", 64 * 1024)]
)
def test_a_body_that_is_too_large_is_refused_with_the_limit(api: Program, count: Count, path: str, most: int) -> None:
    answer = api.post(path, data=b"x" * (most + 1))
    assert is_problem(answer, 413)
    assert answer.json["detail"] == (
        f"The body may have {most:,} bytes ({most // 1024} KiB) at most. This one has {most + 1:,}. Nothing was saved."
    )
    assert api.post(path, data=b"x" * most).status_code == 400
    assert (count(Event), count(Webhook)) == (0, 0)


def test_the_largest_event_is_taken(api: Program, right: dict[str, Any], count: Count) -> None:
    frame = len(json.dumps({**right, "currentValue": {"text": ""}}))
    right["currentValue"] = {"text": "x" * (256 * 1024 - frame)}
    answer = api.post("/events", data=json.dumps(right))
    assert answer.status_code == 202, answer.text
    assert count(Event) == 1


def test_one_event_of_a_batch_is_no_larger_than_a_single_one(api: Program, right: dict[str, Any], count: Count) -> None:
    large = {**right, "currentValue": {"text": "x" * 256 * 1024}}
    answer = api.post("/events/batch", {"events": [right, large]})
    assert is_problem(answer, 422)
    assert answer.json["detail"].startswith("events.1.currentValue: The values have 262155 bytes; 262144 is the most.")
    assert count(Event) == 0


def test_a_batch_has_one_to_five_hundred_events(api: Program, count: Count) -> None:
    wrong = ({"events": events} for events in ([], [{}] * 501, None, {"a": 1}, "x", [1]))
    for body in ({}, *wrong):
        answer = api.post("/events/batch", body)
        assert is_problem(answer, 422)
        assert answer.json["errors"][0]["field"].split(".")[0] == "events"
    assert count(Event) == 0


def test_two_hundred_thousand_events_are_refused_quickly(api: Program) -> None:
    began = time.monotonic()
    answer = api.post("/events/batch", {"events": [{"a": 1}] * 200_000})
    assert is_problem(answer, 422)
    assert answer.json["detail"] == "events: Send 1 to 500 events at once."
    assert time.monotonic() - began < 5


def test_an_odd_idempotency_key_is_refused(api: Program, right: dict[str, Any], count: Count) -> None:
    for key in ("", " ", "two words", "ä", "x" * 256):
        answer = api.post("/events", right, headers={"Idempotency-Key": key})
        assert is_problem(answer, 422)
        assert answer.json["errors"][0]["field"] == "Idempotency-Key"
    assert count(Event) == 0


WRONG_QUERIES = [
    ("limit=0", 422, "limit"),
    ("limit=201", 422, "limit"),
    ("limit=1000000000", 422, "limit"),
    ("limit=" + "9" * 5000, 422, "limit"),
    ("limit=ten", 422, "limit"),
    ("since=yesterday", 422, "since"),
    ("since=2026-05-04T12:00:00", 422, "since"),
    ("until=0001-01-01T00:00:00%2B14:00", 422, "until"),
    ("event=TODO_CREATED,NOPE", 422, "event.1"),
    ("projectId=%00", 422, "projectId"),
    ("token=abc", 422, "token"),
    ("cursor=abc", 400, None),
    ("cursor=", 400, None),
]


@pytest.mark.proves("W46")
def test_a_wrong_query_is_refused_at_its_field(api: Program) -> None:
    for query, status, field in WRONG_QUERIES:
        for path in ("/events", "/deliveries"):
            answer = api.get(f"{path}?{query}")
            assert is_problem(answer, status)
            assert [error["field"] for error in answer.json.get("errors", [])] == ([field] if field else []), query


@pytest.mark.proves("W46")
def test_a_cursor_of_another_list_or_with_a_changed_letter_is_refused(
    api: Program, make: Make, project: Project
) -> None:
    for _ in range(3):
        make.event(project)
    cursor = api.get("/events?limit=1").json["nextCursor"]
    assert api.get("/events?cursor=" + cursor).status_code == 200
    changed = ("B" if cursor[0] == "A" else "A") + cursor[1:]
    assert is_problem(api.get("/events?cursor=" + changed), 400)
    assert is_problem(api.get("/deliveries?cursor=" + cursor), 400)


WEBHOOK = {"name": "Orders", "url": "https://93.184.216.34/hooks"}
WRONG_WEBHOOKS = [
    ({"name": ...}, "name", "This field is missing."),
    ({"name": " "}, "name", "Enter a name."),
    ({"name": "x" * 101}, "name", "Use at most 100 characters."),
    ({"url": ""}, "url", "Enter the address that the requests go to."),
    ({"url": "https://127.0.0.1/x"}, "url", ""),
    ({"url": "ftp://93.184.216.34/x"}, "url", ""),
    ({"url": "https://93.184.216.34/\0"}, "url", "Leave out the NUL character."),
    ({"events": ["NOPE"]}, "events", "There is no event type NOPE."),
    ({"events": "TODO_CREATED"}, "events", "Send a list of texts."),
    ({"events": [7]}, "events.0", "Send a text."),
    ({"projectIds": ["nowhere"]}, "projectIds", "You administer no project with the id nowhere."),
    ({"payloadFormat": "xml"}, "payloadFormat", "The payload format is either full or compact."),
    ({"enabled": 1}, "enabled", "Send true or false."),
    ({"enabled": "true"}, "enabled", "Send true or false."),
    ({"secret": "short"}, "secret", ""),
    ({"secret": 7}, "secret", "Send a text."),
    ({"filter": "x"}, "filter", "Send a JSON object with match, rules."),
    ({"headers": {"X-Key": "a"}}, "headers", "Send a list of objects, each with a name and a value."),
    ({"headers": [7]}, "headers.0", "Send a JSON object."),
    ({"headers": [{"name": "X-Key", "value": 7}]}, "headers.0.value", "Send a text."),
    ({"headers": [{"name": "X-Key"}]}, "headers.0.value", "Enter a value."),
    ({"headers": [{"name": "Host", "value": "a"}]}, "headers.0.name", "This header is set by us."),
    *(
        ({name: "x"}, name, "There is no such field here.")
        for name in ("status", "health", "signed", "id", "createdById", "createdAt", "companyId")
    ),
]


def test_a_wrong_webhook_is_refused_at_its_field(api: Program, count: Count) -> None:
    for changes, field, beginning in WRONG_WEBHOOKS:
        body = {name: value for name, value in {**WEBHOOK, **changes}.items() if value is not ...}
        answer = api.post("/webhooks", body)
        assert is_problem(answer, 422), changes
        (error,) = answer.json["errors"]
        assert error["field"] == field
        assert error["detail"].startswith(beginning)
    assert count(Webhook) == 0


def test_a_wrong_company_or_project_is_refused_at_its_field(api: Program, count: Count) -> None:
    companies, projects = count(Company), count(Project)
    assert [error["field"] for error in api.put("/companies/a.b", {"name": ""}).json["errors"]] == ["name", "id"]
    assert is_problem(api.put("/projects/p", {"name": "P", "companyId": "nowhere"}), 422)
    assert api.put("/projects/p", {"name": "P", "companyId": "nowhere"}).json["errors"][0]["field"] == "companyId"
    assert is_problem(api.put("/companies/" + "x" * 65, {"name": "X"}), 422)
    assert (count(Company), count(Project)) == (companies, projects)


def test_an_id_that_cannot_be_one_names_nothing(api: Program) -> None:
    for path in ("/webhooks/%00", "/events/a%00", "/companies/%00", "/deliveries/%00"):
        assert is_problem(api.get(path), 404)


def test_an_unknown_address_and_a_wrong_method_are_problems_too(api: Program) -> None:
    assert is_problem(api.get("/nowhere"), 404)
    answer = api.delete("/events")
    assert is_problem(answer, 405)
    assert {"GET", "POST"} <= set(answer.headers["Allow"].split(", "))


def test_a_gigabyte_is_refused_before_it_is_read(api: Program, server: int) -> None:
    with socket.create_connection(("127.0.0.1", server), timeout=5) as connection:
        began = time.monotonic()
        head = f"POST /api/v1/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {api.token}\r\n"
        connection.sendall(head.encode() + b"Content-Type: application/json\r\nContent-Length: 1073741824\r\n\r\n{")
        assert connection.recv(4096).startswith(b"HTTP/1.1 413")
        assert time.monotonic() - began < 2


def test_a_stream_without_a_length_is_bounded_too(
    api: Program, server: int, right: dict[str, Any], count: Count
) -> None:
    most = 256 * 1024
    body = json.dumps(right).encode()
    for size, statuses in ((most, [202]), (most + 1, [413, None]), (most * 20, [413, None])):
        connection = http.client.HTTPConnection("127.0.0.1", server, timeout=10)
        headers = {"Authorization": f"Bearer {api.token}", "Content-Type": "application/json"}
        text = body + b" " * (size - len(body))
        pieces = (text[place : place + 50_000] for place in range(0, size, 50_000))
        status = None
        with contextlib.suppress(ConnectionError):  # the server need not read all of it, and may hang up
            connection.request("POST", "/api/v1/events", pieces, headers, encode_chunked=True)
            status = connection.getresponse().status
        assert status in statuses
        connection.close()
    assert count(Event) == 1


def test_a_body_that_ends_early_stores_nothing(api: Program, server: int, count: Count) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server, timeout=10)
    connection.putrequest("POST", "/api/v1/events")
    connection.putheader("Authorization", f"Bearer {api.token}")
    connection.putheader("Content-Type", "application/json")
    connection.putheader("Content-Length", "100")
    connection.endheaders(b'{"event":')
    connection.sock.shutdown(socket.SHUT_WR)
    assert connection.getresponse().status == 400
    connection.close()
    assert count(Event) == 0
