"""The demo: what it tells is true, all of it stays inside the installation, and every page has something to show."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
import standardwebhooks
import time_machine
from flask import Flask

from tests.conftest import Browser
from tests.page_checker import check_page
from tests.schemas import check_bodies
from webapp import config, create_app
from webapp.accounts import sign_in
from webapp.delivery import payloads
from webapp.delivery.fan_out import fan_out
from webapp.delivery.health import DISABLE_AFTER, PAUSE_AFTER_FAILURES
from webapp.delivery.matching import Reason
from webapp.extensions import db
from webapp.models import (
    Attempt,
    Base,
    ChecklistItem,
    Comment,
    Conflict,
    Delivery,
    DeliveryKind,
    DeliveryState,
    ErrorWord,
    Event,
    FieldKind,
    Inbox,
    Project,
    ProjectMember,
    Record,
    Redelivery,
    Role,
    User,
    Webhook,
    utc_now,
)
from webapp.models.base import decrypt
from webapp.models.webhook import DisabledBecause
from webapp.receiver import arrivals, checking
from webapp.seeds import Demo, fill_with_demo
from webapp.webhooks import access, attention, log, statistics
from webapp.webhooks.words import WebhookWord, old_secret_until
from webapp.workspace import checklists, comments, tags

BASE_URL = "http://127.0.0.1:5077"
KEY = "c2VlZHMgYXJlIHN0b3JpZXMsIG5vdCBzZWNyZXRzISE="
MOST_STATEMENTS = 6_000  # a good second; there are about 3,400


@dataclass(frozen=True)
class Filled:
    """A database that the demo has filled, once for all tests; each gets a copy."""

    file: Path
    demo: Demo
    statements: int


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory, _sqlite_template: Path) -> Filled:
    folder = tmp_path_factory.mktemp("demo")
    file = folder / "app.db"
    shutil.copy(_sqlite_template, file)
    settings = config.load(
        instance=folder, database_url=f"sqlite:///{file}", queue_url="memory://", base_url=BASE_URL, encryption_keys=KEY
    )
    with create_app(settings).app_context():
        statements: list[str] = []
        sa.event.listen(db.engine, "before_cursor_execute", lambda *happening: statements.append(happening[2]))
        demo = fill_with_demo()
        db.session.remove()
        db.engine.dispose()
    assert demo is not None
    return Filled(file, demo, len(statements))


@pytest.fixture
def app(make_app: Callable[..., Flask], filled: Filled, tmp_path: Path) -> Flask:
    """The application on a copy of the demo."""
    file = tmp_path / "demo.db"
    shutil.copy(filled.file, file)
    return make_app(database_url=f"sqlite:///{file}", base_url=BASE_URL, encryption_keys=KEY)


@pytest.fixture
def ada(app: Flask) -> User:
    return db.session.scalars(sa.select(User).where(User.is_operator)).one()


def webhook_named(name: str) -> Webhook:
    return db.session.scalars(sa.select(Webhook).where(Webhook.name == name)).one()


def deliveries_of(webhook: Webhook, *conditions: sa.ColumnElement[bool]) -> list[Delivery]:
    query = sa.select(Delivery).where(Delivery.webhook_id == webhook.id, *conditions)
    return list(db.session.scalars(query.order_by(Delivery.seq)))


def words_of(user: User) -> dict[str, WebhookWord]:
    webhooks = access.of(user)
    figures = statistics.figures(webhooks)
    return {webhook.name: figures[webhook.id].word for webhook in webhooks}


def rows() -> dict[str, int]:
    tables = Base.metadata.sorted_tables
    return {each.name: db.session.scalar(sa.select(sa.func.count()).select_from(each)) or 0 for each in tables}


def test_an_empty_installation_is_filled_with_few_statements(app: Flask, filled: Filled, ada: User) -> None:
    assert filled.statements < MOST_STATEMENTS
    assert ada.email == filled.demo.email
    assert sign_in.sign_in(filled.demo.email, filled.demo.password, address="127.0.0.1").id == ada.id


def test_a_second_call_changes_nothing(app: Flask) -> None:
    before = rows()

    assert fill_with_demo() is None
    assert rows() == before


def test_the_team_has_roles_and_only_ada_is_told_her_password(app: Flask, ada: User) -> None:
    query = sa.select(User.name, ProjectMember.role).join(ProjectMember, ProjectMember.user_id == User.id)
    roles = {(name, role) for name, role in db.session.execute(query)}

    assert {role for _, role in roles} == {Role.OWNER, Role.ADMIN, Role.MEMBER, Role.CLIENT}
    assert {name for name, role in roles if role is Role.OWNER} == {ada.name}
    assert len({name for name, _ in roles}) == 4


def test_every_word_of_a_webhook_and_every_state_and_kind_of_a_delivery_occurs(app: Flask, ada: User) -> None:
    assert set(words_of(ada).values()) == set(WebhookWord)
    assert set(db.session.scalars(sa.select(Delivery.state).distinct())) == set(DeliveryState)
    kinds = set(db.session.scalars(sa.select(Delivery.kind).distinct()))
    assert kinds == set(DeliveryKind) - {DeliveryKind.HEALTH_CHECK}


@pytest.mark.parametrize(
    "moment",
    [
        datetime(2026, 3, 1, 3, 10, tzinfo=UTC),  # a Sunday night
        datetime(2026, 3, 2, 8, 1, tzinfo=UTC),  # a Monday morning
        datetime(2026, 7, 15, 14, 30, tzinfo=UTC),  # in the middle of the work
        datetime(2026, 12, 31, 23, 58, tzinfo=UTC),
    ],
)
def test_it_tells_the_same_stories_at_whatever_time_it_is_filled(
    make_app: Callable[..., Flask], moment: datetime
) -> None:
    with time_machine.travel(moment, tick=True):
        make_app(base_url=BASE_URL)
        assert fill_with_demo() is not None
        ada = db.session.scalars(sa.select(User).where(User.is_operator)).one()
        words = words_of(ada)
        assert set(words.values()) == set(WebhookWord)
        assert words["Accounting"] is WebhookWord.FAILING
        assert words["Stock levels"] is words["Search index"] is WebhookWord.PAUSED
        assert _next_probe_in(webhook_named("Stock levels")) < timedelta(minutes=1)
        assert webhook_named("Partner portal").health.failures_in_a_row == 23
        assert webhook_named("Search index").health.warned_at is not None
        assert set(db.session.scalars(sa.select(Delivery.state).distinct())) == set(DeliveryState)
        assert _recounted() == _counted()


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_it_is_filled_on_postgresql_too(make_app: Callable[..., Flask], database: str) -> None:
    make_app(database_url=database, base_url=BASE_URL)

    assert fill_with_demo() is not None
    ada = db.session.scalars(sa.select(User).where(User.is_operator)).one()
    assert set(words_of(ada).values()) == set(WebhookWord)
    assert fan_out() > 0


def test_without_an_address_of_its_own_it_is_refused_before_anything_is_changed(
    make_app: Callable[..., Flask],
) -> None:
    make_app()

    with pytest.raises(Conflict, match="WEBAPP_BASE_URL"):
        fill_with_demo()
    assert set(rows().values()) == {0}


def test_every_url_is_an_inbox_of_the_demo(app: Flask) -> None:
    inboxes = {f"{BASE_URL}/inbox/{token}" for token in db.session.scalars(sa.select(Inbox.token))}
    webhooks = list(db.session.scalars(sa.select(Webhook.url)))

    assert set(webhooks) == inboxes
    assert len(webhooks) == len(inboxes)
    sent_to = set(db.session.scalars(sa.select(Attempt.url).where(Attempt.url.is_not(None)).distinct()))
    assert sent_to <= inboxes


def _counted() -> dict[str, tuple[int, datetime | None]]:
    return {
        webhook.name: (webhook.health.failures_in_a_row, webhook.health.first_failure_at)
        for webhook in db.session.scalars(sa.select(Webhook))
    }


def _recounted() -> dict[str, tuple[int, datetime | None]]:
    """A success of whatever kind forgets the failures; only scheduled attempts of events are counted."""
    counted: dict[str, tuple[int, datetime | None]] = dict.fromkeys(_counted(), (0, None))
    query = (
        sa.select(Webhook.name, Delivery.kind, Attempt.status, Attempt.error, Attempt.redelivery_seq)
        .add_columns(Attempt.finished_at)
        .join(Delivery, Delivery.seq == Attempt.delivery_seq)
        .join(Webhook, Webhook.id == Delivery.webhook_id)
        .where(Attempt.finished_at.is_not(None))
        .order_by(Attempt.finished_at)
    )
    for name, kind, status, error, redelivery_seq, at in db.session.execute(query):
        if error is None and 200 <= status < 300:
            counted[name] = (0, None)
        elif kind is DeliveryKind.EVENT and redelivery_seq is None:
            failures, first_at = counted[name]
            counted[name] = (failures + 1, first_at or at)
    return counted


def test_the_counters_are_those_of_a_recount(app: Flask) -> None:
    assert _recounted() == _counted()
    for delivery in db.session.scalars(sa.select(Delivery)):
        attempts = log.attempts(delivery)
        assert [attempt.number for attempt in attempts] == list(range(1, delivery.attempts_made + 1))
        known = [attempt for attempt in attempts if attempt.is_known]
        if known:
            last = max(known, key=lambda attempt: attempt.number)
            assert (delivery.last_status, delivery.last_error) == (last.status, last.error)


def test_nothing_happened_before_its_cause_or_has_yet_to_happen(app: Flask) -> None:
    now = utc_now()
    made = list(db.session.scalars(sa.select(Delivery).order_by(Delivery.seq)))
    assert [each.created_at for each in made] == sorted(each.created_at for each in made)
    claimed = list(db.session.scalars(sa.select(Attempt.claimed_at).order_by(Attempt.seq)))
    assert claimed == sorted(claimed)
    for delivery in made:
        assert delivery.webhook.created_at < delivery.created_at < now
        assert delivery.event is None or delivery.event.created_at <= delivery.created_at
        assert delivery.settled_at is None or delivery.created_at <= delivery.settled_at < now
        assert (delivery.next_attempt_at is not None) == (delivery.state is DeliveryState.PENDING)
        assert not delivery.is_in_flight
        for attempt in log.attempts(delivery):
            assert delivery.created_at <= attempt.claimed_at < now
            assert attempt.finished_at is None or attempt.claimed_at <= attempt.finished_at < now


def _requests() -> Iterator[tuple[Delivery, Attempt, dict[str, str], bytes]]:
    query = sa.select(Attempt).where(Attempt.request_headers.is_not(None)).order_by(Attempt.seq)
    for attempt in db.session.scalars(query):
        yield attempt.delivery, attempt, dict(attempt.request_headers or ()), log.body(attempt.delivery)


def test_every_body_is_the_one_whose_fingerprint_is_kept(app: Flask) -> None:
    for delivery, _, headers, body in _requests():
        assert hashlib.sha256(body).hexdigest() == delivery.body_sha256
        assert headers["Content-Length"] == str(len(body))
        assert headers["webhook-id"] == delivery.id
        assert f'"event":"{headers["X-Webhook-Event"]}"'.encode() in body


def test_every_signature_is_right_for_an_independent_verifier(app: Flask) -> None:
    verified = 0
    for delivery, attempt, headers, body in _requests():
        webhook = delivery.webhook
        if webhook.secret_ciphertext is None:
            assert "webhook-signature" not in headers
            continue
        is_before_rotation = webhook.previous_secret_until is not None and "X-Signature-Previous" not in headers
        ciphertext = webhook.previous_secret_ciphertext if is_before_rotation else webhook.secret_ciphertext
        with time_machine.travel(attempt.claimed_at, tick=False):
            standardwebhooks.Webhook(decrypt(ciphertext or "")).verify(body, headers)
        verified += 1
    assert verified > 500


def test_a_failing_webhook_is_about_to_try_again(app: Flask) -> None:
    webhook = webhook_named("Accounting")
    (retried,) = deliveries_of(webhook, Delivery.state == DeliveryState.PENDING)

    assert 0 < webhook.health.failures_in_a_row < PAUSE_AFTER_FAILURES
    assert {(each.status, each.retry_after_s) for each in log.attempts(retried)} == {(503, 120.0)}
    assert retried.next_attempt_at is not None
    assert retried.next_attempt_at < retried.created_at + timedelta(minutes=12)


def test_a_paused_webhook_sends_its_next_probe_within_a_minute(app: Flask) -> None:
    webhook = webhook_named("Stock levels")

    assert timedelta(seconds=5) < _next_probe_in(webhook) < timedelta(minutes=1)
    assert webhook.health.last_outcome == "500"


def _next_probe_in(webhook: Webhook) -> timedelta:
    """How long after the demo was filled."""
    filled_at = db.session.scalar(sa.select(sa.func.min(Event.created_at)).where(Event.fanned_out_at.is_(None)))
    assert webhook.health.probe_at is not None
    return webhook.health.probe_at - filled_at


def test_the_system_disabled_one_for_its_failures_and_one_that_is_gone(app: Flask) -> None:
    failed, gone = webhook_named("Partner portal"), webhook_named("Old intranet")

    assert failed.disabled_because is DisabledBecause.FAILURES
    assert failed.disabled_at is not None
    assert failed.health.first_failure_at is not None
    assert failed.disabled_at - failed.health.first_failure_at >= DISABLE_AFTER
    assert gone.disabled_because is DisabledBecause.GONE
    (last_sent,) = deliveries_of(gone, Delivery.reason == "gone")
    assert (last_sent.state, last_sent.last_status) == (DeliveryState.FAILED, 410)
    for webhook in (failed, gone, webhook_named("Newsletter")):
        assert deliveries_of(webhook, Delivery.state == DeliveryState.HELD)
    assert webhook_named("Newsletter").disabled_because is DisabledBecause.OWNER


def test_its_owner_is_told_of_what_is_disabled_or_near_to_it(app: Flask, ada: User) -> None:
    told = {each.webhook.name: str(each.concern) for each in attention.of(ada)}

    assert told == {"Old intranet": "disabled", "Partner portal": "disabled", "Search index": "disabling_near"}


def test_the_other_stories_are_there_too(app: Flask) -> None:
    assert deliveries_of(webhook_named("Mobile app")) == []
    assert old_secret_until(webhook_named("Customer notices"), utc_now()) is not None
    assert not webhook_named("Chat messages").is_signed
    (stuck,) = deliveries_of(webhook_named("Photo archive"), Delivery.state == DeliveryState.STUCK)
    assert [each.is_known for each in log.attempts(stuck)] == [False] * 5
    errors = set(db.session.scalars(sa.select(Attempt.error).distinct()))
    assert errors >= {ErrorWord.TIMED_OUT, ErrorWord.CONNECT_REFUSED, ErrorWord.CONNECTION_LOST}
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Redelivery)) == 2


def test_events_say_why_webhooks_refused_them(app: Flask) -> None:
    kept = [each for refusals in db.session.scalars(sa.select(Event.refusals)) for each in refusals or ()]
    filtered = next(each for each in kept if each["reason"] == Reason.FILTERED)

    assert {each["reason"] for each in kept} == {
        Reason.EVENT_NOT_CHOSEN,
        Reason.PROJECT_NOT_CHOSEN,
        Reason.FILTERED,
    }
    assert (filtered["operator"], filtered["value"], filtered["found"]) == ("is", "Packed", "Sent")


def test_people_discuss_a_record_and_agree_on_steps(app: Flask) -> None:
    record = db.session.scalars(sa.select(Record).join(Comment).distinct()).one()
    said = comments.of(record)
    (steps,) = checklists.of(record)

    assert len({comment.user_id for comment in said}) == 3
    assert [comment.created_at for comment in said] == sorted(comment.created_at for comment in said)
    assert checklists.progress([record.id]) == {record.id: (1, 3)}
    assert [one.user.name for item in steps.items for one in item.assignees] == ["Mary Somerville"]


def test_orders_and_pages_have_people_tags_dates_and_values(app: Flask) -> None:
    query = sa.select(Record).where(Record.field_values.any())
    kinds = {value.field.kind for record in db.session.scalars(query) for value in record.field_values}
    assert kinds == {FieldKind.CURRENCY, FieldKind.SELECT_SINGLE, FieldKind.NUMBER}
    used = sum(use.records > 0 for project in db.session.scalars(sa.select(Project)) for use in tags.of(project))
    assert used == 4
    assert db.session.scalar(sa.select(sa.func.count()).where(Record.assignees.any(), Record.dued_at.is_not(None))) > 20


def test_every_event_fits_the_published_schemas_and_its_last_one_what_is_left(app: Flask) -> None:
    events = list(db.session.scalars(sa.select(Event).order_by(Event.created_at)))
    for event in events:
        check_bodies(event)
    left = {each.id: payloads.comment(each) for each in db.session.scalars(sa.select(Comment))}
    left |= {each.id: payloads.checklist_item(each) for each in db.session.scalars(sa.select(ChecklistItem))}
    told = {value["id"]: value for event in events if (value := json.loads(event.current_value or b"null"))}
    assert {key: told[key]["updatedAt"] for key in left} == {key: value["updatedAt"] for key, value in left.items()}


def test_inboxes_hold_what_arrived_with_the_verdict_that_they_would_give(app: Flask) -> None:
    seen = 0
    for inbox in db.session.scalars(sa.select(Inbox)):
        secrets = checking.secrets_of(inbox)
        for row in arrivals.requests(inbox):
            found = checking.verdict(row.request, secrets)
            assert found in {row.request.verdict, "right_with_old_secret"}
            seen += 1
    assert seen > 200


def test_the_first_look_of_a_worker_finds_fresh_events_and_none_of_the_past(app: Flask) -> None:
    is_waiting = Event.fanned_out_at.is_(None)
    fresh = list(db.session.scalars(sa.select(Event.created_at).where(is_waiting)))
    newest_of_the_past = db.session.scalar(sa.select(sa.func.max(Event.created_at)).where(~is_waiting))

    assert 0 < len(fresh) < 10
    assert min(fresh) > newest_of_the_past
    assert fan_out() == len(fresh)


def test_every_page_is_whole(app: Flask, client: Browser, ada: User) -> None:
    client.sign_in(ada)
    for path in ("/projects", "/settings/webhooks", "/deliveries", "/inboxes"):
        check_page(client.get(path))
    for webhook in access.of(ada):
        page = check_page(client.get(f"/settings/webhooks/{webhook.id}"))
        assert webhook.name in page.h1
    query = sa.select(Delivery.id, Delivery.webhook_id).where(
        sa.or_(Delivery.seq % 97 == 0, Delivery.state.not_in([DeliveryState.SUCCEEDED, DeliveryState.HELD]))
    )
    for delivery_id, webhook_id in db.session.execute(query).all():
        check_page(client.get(f"/settings/webhooks/{webhook_id}/deliveries/{delivery_id}"))
    for inbox in db.session.scalars(sa.select(Inbox)):
        check_page(client.get(f"/inboxes/{inbox.id}"))
