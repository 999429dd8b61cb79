from __future__ import annotations

import concurrent.futures
from datetime import timedelta

import pytest
import sqlalchemy as sa
import time_machine

from webapp.extensions import db
from webapp.models import Event, IdempotencyKey, Invalid, Role, User, utc_now
from webapp.workspace.events import ExternalEvent, publish_external

BODY = "0" * 64
OTHER_BODY = "1" * 64


@pytest.fixture
def ada(make):
    return make.user()


@pytest.fixture
def project(make, ada):
    return make.project(owner=ada)


@pytest.fixture
def call(project):
    def build(code="TODO_CREATED", **values):
        if not values:
            values = {"current_value": {"id": "r1", "title": "Größe 1.0"}}
        return ExternalEvent(code, values.pop("project_id", project.id), **values)

    return build


def publish(*calls, by, **values):
    return publish_external(calls, by_id=by.id, body_sha256=values.pop("body_sha256", BODY), **values)


def events():
    return list(db.session.scalars(sa.select(Event).order_by(Event.seq)))


def refusal(*calls, by, **values):
    with pytest.raises(Invalid) as refused:
        publish(*calls, by=by, **values)
    assert events() == []
    return refused.value


def test_an_event_of_another_application_is_kept_as_compact_json_of_its_own(ada, project, call):
    answer = publish(call(current_value={"id": "r1", "position": 131070.0, "title": "Größe"}), by=ada)
    [event] = events()
    assert answer == {"id": event.id}
    assert event.id.startswith("evt_")
    assert event.current_value == '{"id":"r1","position":131070,"title":"Größe"}'.encode()
    assert (event.previous_value, event.record_id, event.user_id) == (None, "r1", ada.id)
    assert (event.project_id, event.company_id) == (project.id, project.company_id)


def test_a_batch_keeps_its_order_and_answers_all_ids(ada, call):
    answer = publish(*(call(current_value={"id": str(number)}) for number in range(500)), by=ada, is_batch=True)
    assert answer == {"ids": [event.id for event in events()]}
    assert [event.record_id for event in events()] == [str(number) for number in range(500)]


@pytest.mark.parametrize(
    ("code", "values", "stored"),
    [
        ("TODO_CREATED", {"current_value": {"a": 1}}, (None, b'{"a":1}')),
        ("TODO_DELETED", {"previous_value": {"a": 1}}, (b'{"a":1}', b"null")),
        ("TODO_DELETED", {"previous_value": {"a": 1}, "current_value": None}, (b'{"a":1}', b"null")),
        ("TODO_DELETED", {"user_id": None}, (b"null", b"null")),
        ("TODO_MOVED", {"previous_value": {"a": 1}, "current_value": {"a": 2}}, (b'{"a":1}', b'{"a":2}')),
        ("TODO_MOVED", {"current_value": {"a": 2}}, (b"null", b'{"a":2}')),
    ],
)
def test_each_kind_of_event_has_its_keys(ada, call, code, values, stored):
    publish(call(code, **values), by=ada)
    [event] = events()
    assert (event.previous_value, event.current_value) == stored


@pytest.mark.parametrize(
    ("code", "values", "fields"),
    [
        ("NOTHING_HAPPENED", {"current_value": {}}, ["event"]),
        ("WEBHOOK_HEALTH_CHECK", {"current_value": {}}, ["event"]),
        ("TODO_CREATED", {"previous_value": None, "current_value": {}}, ["previous_value"]),
        ("TODO_CREATED", {"previous_value": {}}, ["previous_value", "current_value"]),
        ("TODO_CREATED", {"user_id": None}, ["current_value"]),
        ("TODO_CREATED", {"current_value": None}, ["current_value"]),
        ("TODO_CREATED", {"current_value": [1]}, ["current_value"]),
        ("TODO_MOVED", {"previous_value": "text", "current_value": {}}, ["previous_value"]),
        ("TODO_DELETED", {"previous_value": {}, "current_value": {}}, ["current_value"]),
        ("TODO_CREATED", {"current_value": {"title": "\ud800"}}, ["current_value"]),
        ("TODO_CREATED", {"current_value": {"number": float("nan")}}, ["current_value"]),
        ("TODO_CREATED", {"current_value": {"text": "x" * 256 * 1024}}, ["current_value"]),
        ("TODO_CREATED", {"current_value": {}, "project_id": "nowhere"}, ["project_id"]),
        ("TODO_CREATED", {"current_value": {}, "user_id": "nobody"}, ["user_id"]),
    ],
)
def test_wrong_events_are_refused_at_their_fields_and_nothing_is_kept(ada, call, code, values, fields):
    assert list(refusal(call(code, **values), by=ada).fields) == fields


def test_the_largest_event_has_256_kib(ada, call):
    fits = {"text": "x" * (256 * 1024 - len('{"text":""}'))}
    publish(call(current_value=fits), by=ada)
    assert len(events()[0].current_value) == 256 * 1024


def test_one_wrong_event_refuses_the_batch_and_is_named_by_its_index(ada, call):
    error = refusal(call(), call(), call(project_id="nowhere", current_value={}), by=ada, is_batch=True)
    assert list(error.fields) == ["events.2.project_id"]
    error = refusal(call(), call("TODO_CREATED", previous_value={}, current_value={}), by=ada, is_batch=True)
    assert list(error.fields) == ["events.1.previous_value"]


def test_a_batch_has_1_to_500_events(ada, call):
    assert refusal(by=ada, is_batch=True).field == "events"
    assert refusal(*[call()] * 501, by=ada, is_batch=True).field == "events"


def test_events_are_published_by_owners_administrators_and_members_of_living_projects(make, project, call):
    for role in Role:
        someone = make.user()
        make.member(project, someone, role)
        if role in {Role.OWNER, Role.ADMIN, Role.MEMBER}:
            publish(call(), by=someone)
        else:
            with pytest.raises(Invalid, match="role Member"):
                publish(call(), by=someone)
    assert len(events()) == 3
    ada = project.members[0].user
    archived = make.project(owner=ada, archived=True)
    with pytest.raises(Invalid, match="archived"):
        publish(call(project_id=archived.id, current_value={}), by=ada)


def test_an_event_can_name_a_member_of_its_project_as_the_person_who_did_it(make, ada, project, call):
    tim = make.user()
    assert list(refusal(call(user_id=tim.id, current_value={}), by=ada).fields) == ["user_id"]
    make.member(project, tim, Role.VIEW_ONLY)
    publish(call(user_id=tim.id, current_value={}), by=ada)
    assert events()[0].user_id == tim.id


@pytest.mark.parametrize(
    ("code", "value", "record_id"),
    [
        ("COMMENT_CREATED", {"id": "c", "todoId": "r"}, "r"),
        ("COMMENT_CREATED", {"id": "c", "todo": {"id": "r"}}, "r"),
        ("TODO_CHECKLIST_ITEM_CREATED", {"id": "i", "checklist": {"todo": {"id": "r"}}}, "r"),
        ("TAG_CREATED", {"id": "t"}, None),
        ("TODO_CREATED", {"title": "without an id"}, None),
        ("TODO_CREATED", {"id": 17}, None),
        ("TODO_CREATED", {"id": "x" * 65}, None),
        ("COMMENT_CREATED", {"todo": ["r"], "checklist": 1}, None),
    ],
)
def test_an_event_knows_the_record_that_it_is_about_or_belongs_to(ada, call, code, value, record_id):
    publish(call(code, current_value=value), by=ada)
    assert events()[0].record_id == record_id


def test_the_same_key_with_the_same_body_gets_the_same_answer_and_one_event(ada, call):
    first = publish(call(), by=ada, idempotency_key="order-4711")
    assert publish(call(), by=ada, idempotency_key="order-4711") == first
    assert len(events()) == 1


def test_the_same_key_with_another_body_is_refused(ada, call):
    publish(call(), by=ada, idempotency_key="order-4711")
    with pytest.raises(Invalid, match="another body") as refused:
        publish(call(), by=ada, idempotency_key="order-4711", body_sha256=OTHER_BODY)
    assert refused.value.field == "idempotency_key"
    assert len(events()) == 1


def test_a_key_belongs_to_one_person_and_lives_for_a_day(make, ada, project, call):
    tim = make.user()
    make.member(project, tim, Role.MEMBER)
    answers = {publish(call(), by=someone, idempotency_key="k")["id"] for someone in (ada, tim)}
    with time_machine.travel(utc_now() + timedelta(hours=23, minutes=59)):
        answers.add(publish(call(), by=ada, idempotency_key="k")["id"])
    assert len(answers) == 2
    with time_machine.travel(utc_now() + timedelta(hours=24, seconds=1)):
        answers.add(publish(call(), by=ada, idempotency_key="k", body_sha256=OTHER_BODY)["id"])
    assert len(answers) == 3


def test_a_refused_call_leaves_its_key_free(ada, call):
    refusal(call(project_id="nowhere", current_value={}), by=ada, idempotency_key="k")
    assert db.session.scalar(sa.select(sa.func.count()).select_from(IdempotencyKey)) == 0
    publish(call(), by=ada, idempotency_key="k", body_sha256=OTHER_BODY)


@pytest.mark.parametrize("key", ["", "with blank", "ä", "k" * 256, "a\nb"])
def test_a_key_is_1_to_255_visible_characters(ada, call, key):
    assert refusal(call(), by=ada, idempotency_key=key).field == "idempotency_key"


def test_one_key_many_times_at_once_makes_one_event(app, ada, call):
    user_id, one = ada.id, call()

    def publish_again(_: int) -> str:
        with app.app_context():
            try:
                return publish(one, by=db.session.get(User, user_id), idempotency_key="k")["id"]
            finally:
                db.session.remove()

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = set(pool.map(publish_again, range(24)))
    db.session.rollback()
    assert answers == {event.id for event in events()}
    assert len(answers) == 1
