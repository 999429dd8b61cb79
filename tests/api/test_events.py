"""Publishing events over REST, and reading what became of them."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine

from tests.api.conftest import Program
from tests.conftest import Cast
from tests.factories import Make
from webapp.delivery.fan_out import fan_out
from webapp.extensions import db
from webapp.models import Base, Delivery, Event, IdempotencyKey, Project, Role, User, utc_now

Count = Callable[[type[Base]], int]
Programs = Callable[[User], Program]


@pytest.fixture
def project(cast: Cast, make: Make) -> Project:
    return make.project_of(cast.admin)


def created(project: Project, **values: Any) -> dict[str, Any]:
    value = {"id": "order-1", "title": "Order 1"}
    return {"event": "TODO_CREATED", "projectId": project.id, "currentValue": value, **values}


def the_event() -> Event:
    return db.session.scalars(sa.select(Event)).one()


def test_an_event_is_on_disk_when_it_is_answered(api: Program, cast: Cast, project: Project) -> None:
    answer = api.post("/events", created(project))
    assert answer.status_code == 202
    event = the_event()
    assert answer.json == {"id": event.id}
    assert (event.type, event.project_id, event.company_id) == ("TODO_CREATED", project.id, project.company_id)
    assert (event.user_id, event.record_id) == (cast.admin.id, "order-1")
    assert event.previous_value is None
    assert event.current_value == b'{"id":"order-1","title":"Order 1"}'


def test_values_are_kept_as_they_came(api: Program, project: Project) -> None:
    value = '{"z":1,"a":[12345678901234567890123,0.1,1.0,1e3,null,true],"text":"Größe \\ud83d\\ude00 \\u0000","":{}}'
    body = f'{{"event":"TODO_CREATED","projectId":"{project.id}","currentValue":{value}}}'
    answer = api.post("/events", data=body.encode())
    assert answer.status_code == 202, answer.text
    kept = '{"z":1,"a":[12345678901234567890123,0.1,1,1000,null,true],"text":"Größe 😀 \\u0000","":{}}'
    assert the_event().current_value == kept.encode()
    shown = api.get("/events/" + answer.json["id"])
    assert f'"currentValue":{kept}' in shown.text


def test_both_values_of_a_change_and_the_previous_one_of_a_deletion_are_kept(api: Program, project: Project) -> None:
    before, after = {"id": "r", "title": "a"}, {"id": "r", "title": "b"}
    place = {"projectId": project.id}
    changed = api.post(
        "/events", {"event": "TODO_NAME_CHANGED", **place, "previousValue": before, "currentValue": after}
    )
    deleted = api.post("/events", {"event": "TODO_DELETED", **place, "previousValue": after})
    assert (changed.status_code, deleted.status_code) == (202, 202)
    shown = [api.get(f"/events/{answer.json['id']}").json for answer in (changed, deleted)]
    assert (shown[0]["previousValue"], shown[0]["currentValue"]) == (before, after)
    assert (shown[1]["previousValue"], shown[1]["currentValue"]) == (after, None)


def test_a_created_event_is_shown_without_a_previous_value(api: Program, project: Project) -> None:
    event_id = api.post("/events", created(project)).json["id"]
    shown = api.get("/events/" + event_id).json
    assert "previousValue" not in shown
    assert shown["event"] == "TODO_CREATED"


def test_another_member_can_be_named_as_the_one_who_did_it(api: Program, cast: Cast, project: Project) -> None:
    assert api.post("/events", created(project, userId=cast.teammate.id)).status_code == 202
    assert the_event().user_id == cast.teammate.id


def test_a_member_publishes_and_a_mere_reader_does_not(
    program: Programs, cast: Cast, make: Make, project: Project, count: Count
) -> None:
    assert program(cast.teammate).post("/events", created(project)).status_code == 202
    reader = make.user()
    make.member(project, reader, Role.VIEW_ONLY)
    refused = program(reader).post("/events", created(project))
    assert (refused.status_code, refused.json["errors"][0]["field"]) == (422, "projectId")
    assert count(Event) == 1


def test_a_batch_is_written_in_its_order(api: Program, project: Project) -> None:
    answer = api.post("/events/batch", {"events": [created(project, currentValue={"id": str(n)}) for n in range(500)]})
    assert answer.status_code == 202
    events = list(db.session.scalars(sa.select(Event).order_by(Event.seq)))
    assert answer.json == {"ids": [event.id for event in events]}
    assert [event.record_id for event in events] == [str(n) for n in range(500)]


def test_one_wrong_event_of_a_batch_keeps_all_of_them_out(api: Program, project: Project, count: Count) -> None:
    events = [created(project), created(project, projectId="nowhere"), created(project)]
    answer = api.post("/events/batch", {"events": events})
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json["errors"]] == ["events.1.projectId"]
    assert count(Event) == 0


def test_the_same_key_gets_the_same_answer_and_makes_one_event(api: Program, project: Project, count: Count) -> None:
    headers = {"Idempotency-Key": "order 1".replace(" ", "-")}
    first, second = (api.post("/events", created(project), headers=headers) for _ in range(2))
    assert (first.status_code, second.status_code) == (202, 202)
    assert first.json == second.json
    assert count(Event) == 1


def test_the_same_key_makes_one_batch(api: Program, project: Project, count: Count) -> None:
    body = {"events": [created(project), created(project)]}
    first, second = (api.post("/events/batch", body, headers={"Idempotency-Key": "k"}) for _ in range(2))
    assert first.json == second.json
    assert count(Event) == 2


def test_a_key_with_another_body_is_refused(api: Program, project: Project, count: Count) -> None:
    api.post("/events", created(project), headers={"Idempotency-Key": "k"})
    answer = api.post("/events", created(project, currentValue={"id": "2"}), headers={"Idempotency-Key": "k"})
    assert answer.status_code == 422
    assert answer.json["errors"] == [
        {
            "field": "Idempotency-Key",
            "detail": "This key came with another body before. Use a new key for a new call.",
        }
    ]
    assert count(Event) == 1


def test_a_key_belongs_to_one_person_and_lives_a_day(
    api: Program, program: Programs, cast: Cast, project: Project, count: Count
) -> None:
    headers = {"Idempotency-Key": "k"}
    first = api.post("/events", created(project), headers=headers)
    assert program(cast.teammate).post("/events", created(project), headers=headers).json != first.json
    with time_machine.travel(utc_now() + timedelta(hours=25), tick=True):
        assert api.post("/events", created(project), headers=headers).json != first.json
    assert count(Event) == 3


def test_a_refused_call_does_not_use_up_its_key(api: Program, project: Project, count: Count) -> None:
    headers = {"Idempotency-Key": "k"}
    assert api.post("/events", created(project, projectId="nowhere"), headers=headers).status_code == 422
    assert count(IdempotencyKey) == 0
    assert api.post("/events", created(project), headers=headers).status_code == 202


def test_twenty_posts_at_once_with_one_key_make_one_event(
    api: Program, project: Project, server: int, count: Count
) -> None:
    body = json.dumps(created(project))
    headers = {
        "Authorization": f"Bearer {api.token}",
        "Content-Type": "application/json",
        "Idempotency-Key": "the-same",
    }

    def post(_: int) -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", server, timeout=30)
        connection.request("POST", "/api/v1/events", body, headers)
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer.status, text

    with ThreadPoolExecutor(20) as pool:
        answers = set(pool.map(post, range(20)))
    assert len(answers) == 1
    assert next(iter(answers))[0] == 202
    assert count(Event) == 1


def test_events_are_listed_newest_first_in_pages(api: Program, project: Project) -> None:
    ids = [api.post("/events", created(project)).json["id"] for _ in range(5)]
    seen, cursor = [], ""
    for expected in (2, 2, 1):
        page = api.get(f"/events?limit=2{cursor}").json
        assert len(page["items"]) == expected
        seen += [item["id"] for item in page["items"]]
        cursor = f"&cursor={page['nextCursor']}"
    assert page["nextCursor"] is None
    assert seen == ids[::-1]
    assert "currentValue" not in page["items"][0]


def test_events_are_chosen_by_project_type_and_time(api: Program, cast: Cast, make: Make, project: Project) -> None:
    other = make.project(owner=cast.admin)
    old = make.event(project, created_at=utc_now() - timedelta(days=2))
    here = make.event(project)
    there = make.event(other, type="TODO_DELETED")

    def ids(query: str) -> set[str]:
        return {item["id"] for item in api.get("/events?" + query).json["items"]}

    assert ids("") == {old.id, here.id, there.id}
    assert ids(f"projectId={other.id}") == {there.id}
    assert ids("event=TODO_CREATED,TODO_MOVED") == {old.id, here.id}
    yesterday = (utc_now() - timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert ids("since=" + yesterday) == {here.id, there.id}
    assert ids("until=" + yesterday) == {old.id}


def test_a_record_that_moved_between_projects_is_seen_from_both(
    api: Program, program: Programs, cast: Cast, make: Make, project: Project
) -> None:
    theirs = make.project_of(cast.stranger)
    event = make.event(theirs, type="TODO_MOVED", source_project_id=project.id)
    assert api.get("/events/" + event.id).status_code == 200
    assert program(cast.stranger).get("/events/" + event.id).status_code == 200


def test_nobody_sees_events_of_foreign_projects(program: Programs, cast: Cast, make: Make, project: Project) -> None:
    event = make.event(project)
    stranger = program(cast.stranger)
    missing, foreign = stranger.get("/events/evt_missing"), stranger.get("/events/" + event.id)
    assert (missing.status_code, foreign.status_code) == (404, 404)
    assert missing.json["detail"] == foreign.json["detail"]
    assert stranger.get("/events").json["items"] == []
    assert stranger.get(f"/events?projectId={project.id}").json["items"] == []


def test_every_webhook_of_mine_has_a_verdict_on_every_event(
    api: Program, cast: Cast, make: Make, project: Project
) -> None:
    other = make.project(owner=cast.admin)
    make.webhook(by=cast.admin, name="all")
    make.webhook(by=cast.admin, name="deletions", events=["TODO_DELETED"])
    make.webhook(by=cast.admin, name="elsewhere", project_ids=[other.id])
    make.webhook(by=cast.stranger, name="not mine")
    event_id = api.post("/events", created(project)).json["id"]
    assert {verdict["verdict"] for verdict in api.get("/events/" + event_id).json["verdicts"]} == {"waiting"}

    fan_out()
    make.webhook(by=cast.admin, name="young")
    shown = api.get("/events/" + event_id).json["verdicts"]
    assert [verdict["verdict"] for verdict in shown] == [
        "wanted",
        "event_not_chosen",
        "project_not_chosen",
        "created_later",
    ]
    delivery = db.session.scalars(sa.select(Delivery)).one()
    assert (shown[0]["deliveryId"], shown[0]["state"]) == (delivery.id, "pending")
    assert shown[1]["detail"] == "The webhook does not send this event type."
    assert api.get("/events").json["items"][0]["verdicts"] == shown


def test_a_verdict_says_when_i_was_no_administrator(
    program: Programs, cast: Cast, make: Make, project: Project
) -> None:
    make.project(owner=cast.teammate)
    make.webhook(by=cast.teammate)
    member = program(cast.teammate)
    event_id = member.post("/events", created(project)).json["id"]
    fan_out()
    (verdict,) = member.get("/events/" + event_id).json["verdicts"]
    assert (verdict["verdict"], verdict["deliveryId"]) == ("not_administrator", None)
