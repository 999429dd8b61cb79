"""Pruning: what has had its days goes, and nothing that is unfinished, on both databases."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from tests.factories import Make
from webapp.accounts import guessing, sign_in
from webapp.delivery import pruning
from webapp.extensions import db
from webapp.models import (
    Attempt,
    Delivery,
    DeliveryState,
    EndedSession,
    Event,
    FailedSignIn,
    IdempotencyKey,
    Inbox,
    InboxRequest,
    Invitation,
    Notice,
    OneTimeLink,
    Redelivery,
    Replay,
    Role,
    Webhook,
    WebhookSnapshot,
    Worker,
    transaction,
    utc_now,
)
from webapp.receiver.pruning import KEEP_FOR
from webapp.workspace.events import KEY_LIVES

LONG_AGO = timedelta(days=31)


def prune() -> dict[str, int]:
    found = pruning.prune(pause=lambda _: None)
    db.session.rollback()
    return {noun: count for noun, count in found.items() if count}


def count(model: type[Any]) -> int:
    return db.session.scalar(sa.select(sa.func.count()).select_from(model)) or 0


def delivered(make: Make, webhook: Webhook, age: timedelta = LONG_AGO, **values: Any) -> Delivery:
    """An event with its delivery, both of that age."""
    event = make.event(make.project_of(webhook.created_by), created_at=utc_now() - age, fanned_out_at=utc_now() - age)
    return make.delivery(webhook, event, **{"state": "succeeded", "created_at": utc_now() - age, **values})


def add(*rows: Any) -> None:
    with transaction() as session:
        session.add_all(rows)


def test_what_is_older_than_the_retention_goes_with_all_that_belongs_to_it(make: Make) -> None:
    webhook = make.webhook()
    old = delivered(make, webhook)
    for status in (500, 200):
        make.attempt(old, status=status)
    add(Redelivery(delivery_seq=old.seq, finished_at=utc_now()))
    young = delivered(make, webhook, timedelta(days=29))
    make.attempt(young)

    assert prune() == {"deliveries": 1, "events": 1}

    assert [delivery.id for delivery in db.session.scalars(sa.select(Delivery))] == [young.id]
    assert (count(Event), count(Attempt), count(Redelivery)) == (1, 1, 0)
    assert prune() == {}


def test_the_retention_is_a_setting(make_app: Callable[..., Flask]) -> None:
    make_app(retention_days=3)
    make = Make()
    webhook = make.webhook()
    delivered(make, webhook, timedelta(days=2))
    delivered(make, webhook, timedelta(days=4))

    assert prune() == {"deliveries": 1, "events": 1}


@pytest.mark.parametrize("state", list(DeliveryState))
def test_of_all_states_only_pending_stays(make: Make, state: DeliveryState) -> None:
    delivered(make, make.webhook(), state=state)

    assert bool(prune()) is (state is not DeliveryState.PENDING)
    assert count(Delivery) == count(Event) == (state is DeliveryState.PENDING)


@pytest.mark.proves("F58")
def test_what_is_in_flight_or_wanted_again_stays_with_its_event(make: Make) -> None:
    webhook = make.webhook()
    delivered(make, webhook, lease_until=utc_now())
    delivered(make, webhook, state="failed", next_attempt_at=utc_now())
    wanted = delivered(make, webhook, state="failed")
    add(Redelivery(delivery_seq=wanted.seq))

    assert prune() == {}
    assert (count(Delivery), count(Event)) == (3, 3)


def test_an_event_stays_while_one_of_its_deliveries_does(make: Make) -> None:
    webhook = make.webhook()
    settled = delivered(make, webhook)
    waiting = make.delivery(make.webhook(), settled.event, created_at=utc_now() - LONG_AGO)

    assert prune() == {"deliveries": 1}
    assert [delivery.id for delivery in db.session.scalars(sa.select(Delivery))] == [waiting.id]
    assert count(Event) == 1


def test_an_event_that_waits_for_its_fan_out_stays(make: Make) -> None:
    make.event(created_at=utc_now() - LONG_AGO)

    assert prune() == {}


def test_a_late_delivery_of_an_old_event_is_kept_for_its_own_days(make: Make) -> None:
    delivered(make, make.webhook(), created_at=utc_now())

    assert prune() == {}


def test_pings_and_tests_age_out_too(make: Make) -> None:
    make.delivery(kind="ping", state="failed", created_at=utc_now() - LONG_AGO)

    assert prune() == {"deliveries": 1}


def test_snapshots_go_when_nothing_names_them_and_they_were_replaced_long_enough_ago(make: Make) -> None:
    webhook, named_by = make.webhook(), make.webhook()
    hours = [utc_now() - timedelta(hours=each) for each in (9, 8, 7)]
    old, named, current = rows = [WebhookSnapshot(webhook_id=webhook.id, body=b"{}", created_at=at) for at in hours]
    add(*rows)
    just_replaced = WebhookSnapshot(webhook_id=named_by.id, body=b"{}", created_at=hours[0])
    add(just_replaced)
    with transaction():
        first, webhook.snapshot_seq = webhook.snapshot_seq, current.seq
    make.delivery(named_by, snapshot_seq=named.seq)
    with transaction() as session:
        session.execute(sa.update(WebhookSnapshot).values(created_at=hours[2]))
        session.execute(
            sa.update(WebhookSnapshot).where(WebhookSnapshot.seq == just_replaced.seq).values(created_at=utc_now())
        )
    gone = {first, old.seq}

    assert prune() == {"webhook snapshots": 2}
    assert not gone & set(db.session.scalars(sa.select(WebhookSnapshot.seq)))


def test_a_deleted_webhook_goes_when_its_log_is_gone(make: Make) -> None:
    deleted, with_log, _alive = make.webhook(), make.webhook(), make.webhook()
    delivered(make, with_log, timedelta(days=1))
    with transaction():
        deleted.deleted_at = with_log.deleted_at = utc_now() - LONG_AGO

    assert prune() == {"deleted webhooks": 1}
    assert (count(Webhook), count(WebhookSnapshot)) == (2, 2)


def test_all_the_small_things_have_their_days(make: Make) -> None:
    user = make.user()
    webhook = make.webhook(user := make.webhook().created_by)
    inbox = Inbox(user_id=user.id, name="In", token="t")
    project = make.project_of(user)
    add(inbox)
    now = utc_now()
    for age in (timedelta(0), LONG_AGO):
        at = now - age
        request = {"method": "POST", "path": "/", "address": "", "verdict": "right", "headers": [], "body": b""}
        add(
            IdempotencyKey(user_id=user.id, key=str(age), body_sha256="", answer={}, created_at=at),
            FailedSignIn(email_sha256="", address="", at=at),
            EndedSession(id=str(age)[:32], ended_at=at),
            InboxRequest(inbox_id=inbox.id, received_at=at, **request),
            Notice(user_id=user.id, template="webhook_gone", created_at=at, sent_at=at),
            Worker(id=str(age), host="", pid=1, threads=1, version="", beat_at=at),
            Replay(webhook_id=webhook.id, chosen={}, total=1, created_at=at, finished_at=at),
            OneTimeLink(token_sha256=str(age), user_id=user.id, expires_at=at + timedelta(minutes=1)),
            Invitation(project_id=project.id, email=str(age), role=Role.MEMBER, expires_at=at),
        )
    add(Replay(webhook_id=webhook.id, chosen={}, total=1, created_at=now - LONG_AGO))
    add(Notice(user_id=user.id, template="webhook_gone", created_at=now - LONG_AGO))

    assert prune() == {
        "replays": 1,
        "notices": 2,
        "idempotency keys": 1,
        "failed sign-ins": 1,
        "ended sessions": 1,
        "one-time links": 1,
        "invitations": 1,
        "inbox requests": 1,
        "silent workers": 1,
    }


def test_nothing_goes_before_the_rules_that_need_it_have_forgotten_it() -> None:
    assert pruning.KEYS_FOR >= KEY_LIVES
    assert pruning.FAILED_SIGN_INS_FOR >= guessing.WINDOW
    assert pruning.ENDED_SESSIONS_FOR >= 2 * sign_in.LONGEST_SESSION
    assert pruning.INBOX_REQUESTS_FOR >= KEEP_FOR


@pytest.mark.proves("F58")
def test_no_transaction_deletes_more_than_a_thousand_rows(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    webhook = make.webhook()
    deliveries = [delivered(make, webhook) for _ in range(30)]
    for delivery in deliveries[:10]:
        for number in range(3):
            make.attempt(delivery, status=500 + number)
    for name, rows in (("LEAST_ROWS", 4), ("FIRST_ROWS", 8), ("MAX_ROWS", 12)):
        monkeypatch.setattr(pruning, name, rows)
    batches: list[int] = []
    pauses: list[float] = []
    delete = pruning._delete

    def counted(rule: pruning.Rule, keys: list[Any], before: Any) -> tuple[int, float]:
        was = count(Delivery) + count(Attempt) + count(Event)
        answer = delete(rule, keys, before)
        batches.append(was - count(Delivery) - count(Attempt) - count(Event))
        return answer

    monkeypatch.setattr(pruning, "_delete", counted)

    assert pruning.prune(pause=pauses.append)["deliveries"] == 30
    assert max(batches) <= 12
    assert len(pauses) == len(batches) >= 90 // 12
    assert min(pauses) >= pruning.PAUSE_S


def test_two_at_once_delete_everything_once(app: Flask, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    webhook = make.webhook()
    for _ in range(60):
        make.attempt(delivered(make, webhook))
    for name in ("LEAST_ROWS", "FIRST_ROWS", "MAX_ROWS"):
        monkeypatch.setattr(pruning, name, 5)
    found: list[dict[str, int]] = []
    ready = threading.Barrier(2)

    def run() -> None:
        with app.app_context():
            ready.wait()
            found.append(pruning.prune(pause=lambda _: None))

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    db.session.rollback()

    rest = prune()
    assert sum(each["deliveries"] for each in found) + rest.get("deliveries", 0) == 60
    assert sum(each["events"] for each in found) + rest.get("events", 0) == 60
    assert (count(Delivery), count(Attempt), count(Event)) == (0, 0, 0)


@pytest.mark.parametrize("rule", pruning.RULES, ids=lambda rule: rule.noun)
@pytest.mark.proves("F58")
def test_what_may_go_is_found_by_indexes(make: Make, rule: pruning.Rule) -> None:
    """Tables that stay small are read whole; no others are."""
    small = {"webhook_snapshot", "replay", "notice", "failed_sign_in", "worker"}
    plan = _plan(pruning.candidates(rule).limit(100))

    assert {name for name in db.metadata.tables if any(_reads_whole(line, name) for line in plan)} <= small, plan


def _plan(query: sa.Select[Any]) -> list[str]:
    is_sqlite = db.engine.dialect.name == "sqlite"
    if not is_sqlite:
        db.session.execute(sa.text("SET LOCAL enable_seqscan = off"))  # or it takes them for tables without rows
    values = query.params(before=utc_now()).compile(db.engine, compile_kwargs={"literal_binds": True})
    explain = "EXPLAIN QUERY PLAN" if is_sqlite else "EXPLAIN"
    return [str(row[-1]) for row in db.session.connection().exec_driver_sql(f"{explain} {values}")]


def _reads_whole(line: str, table: str) -> bool:
    return line == f"SCAN {table}" or f"Seq Scan on {table} " in line
