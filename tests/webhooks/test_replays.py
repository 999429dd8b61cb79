"""Counting, starting and stopping replays. What they send is tested in delivery/test_replaying.py."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from tests.factories import Make
from webapp.extensions import db
from webapp.models import (
    AuditEntry,
    Conflict,
    Delivery,
    DeliveryState,
    Invalid,
    NotFound,
    Role,
    Webhook,
    transaction,
    utc_now,
)
from webapp.webhooks import replays
from webapp.webhooks.replays import Chosen, Progress

DAY = timedelta(days=1)


@pytest.fixture
def webhook(make: Make) -> Webhook:
    return make.webhook()


def settled(make: Make, webhook: Webhook, state: str = "failed", code: str = "TODO_CREATED", **values: Any) -> None:
    event = make.event(make.project_of(webhook.created_by), type=code, fanned_out_at=utc_now())
    make.delivery(webhook, event, state=state, **{"settled_at": utc_now(), **values})


def ago(days: float) -> datetime:
    return utc_now() - days * DAY


def test_what_matches_is_counted_before_anything_is_sent(make: Make, webhook: Webhook) -> None:
    for days in (0.5, 1.5, 2.5):
        settled(make, webhook, created_at=ago(days))
    settled(make, webhook, code="TODO_DELETED")
    settled(make, webhook, "stuck")
    settled(make, webhook, "succeeded")
    make.delivery(webhook)
    make.delivery(webhook, kind="ping", state="failed")
    settled(make, make.webhook(by=webhook.created_by))
    count = {
        "failed ones": Chosen(ago(9)),
        "of two days": Chosen(ago(2)),
        "but the last": Chosen(ago(9), until=ago(1)),
        "of one type": Chosen(ago(9), event_types=("TODO_DELETED",)),
        "stuck too": Chosen(ago(9), states=(DeliveryState.FAILED, DeliveryState.STUCK)),
    }
    assert {name: replays.count(webhook, chosen) for name, chosen in count.items()} == {
        "failed ones": 4, "of two days": 3, "but the last": 2, "of one type": 1, "stuck too": 5,
    }  # fmt: skip


def test_a_replay_begins_at_the_first_and_ends_at_the_last_that_is_meant(make: Make, webhook: Webhook) -> None:
    for days in (5, 4, 3, 2, 1):
        settled(make, webhook, created_at=ago(days))
    numbers = list(db.session.scalars(sa.select(Delivery.seq).order_by(Delivery.seq)))
    one = replays.start(webhook, Chosen(ago(4.5), until=ago(1.5)), by=webhook.created_by)
    assert (one.total, one.cursor, one.last_seq) == (3, numbers[1] - 1, numbers[3])


def test_events_of_a_project_whose_role_was_lost_do_not_match(make: Make, webhook: Webhook) -> None:
    settled(make, webhook)
    elsewhere = make.project()
    make.member(elsewhere, webhook.created_by, Role.MEMBER)
    make.delivery(webhook, make.event(elsewhere, fanned_out_at=utc_now()), state="failed")
    assert replays.count(webhook, Chosen(ago(1))) == 1


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"states": ()}, "status", "at least one"),
        ({"states": (DeliveryState.HELD,)}, "status", "failed, stuck, cancelled, succeeded"),
        ({"until": "before"}, "until", "before the beginning"),
        ({"event_types": ("TODO_INVENTED",)}, "events", "TODO_INVENTED"),
    ],
)
def test_a_choice_that_makes_no_sense_is_refused_at_its_field(
    webhook: Webhook, changes: dict[str, Any], field: str, words: str
) -> None:
    since = ago(1)
    if "until" in changes:
        changes = {"until": since - DAY}
    chosen = Chosen(since, **changes)
    for act in (lambda: replays.count(webhook, chosen), lambda: replays.start(webhook, chosen, by=webhook.created_by)):
        with pytest.raises(Invalid, match=words) as error:
            act()
        assert error.value.field == field


def test_a_replay_knows_what_was_asked_for_and_who_asked(make: Make, webhook: Webhook) -> None:
    settled(make, webhook)
    chosen = Chosen(ago(1), ago(-1), (DeliveryState.FAILED, DeliveryState.CANCELLED), ("TODO_CREATED",))
    replay = replays.start(webhook, chosen, by=webhook.created_by)
    assert (replay.total, replay.requested_by_id, Chosen.of(replay.chosen)) == (1, webhook.created_by_id, chosen)
    assert replays.progress(replay) == Progress(1, 0, 0, 0, 0)
    assert replays.load(webhook, replay.id) is replay
    assert replays.running(webhook) is replay
    entry = db.session.scalars(sa.select(AuditEntry)).one()
    assert (entry.action, entry.detail["total"], entry.detail["replay"]) == ("webhook.replayed", 1, replay.id)


def test_one_that_matches_nothing_is_done_at_once(webhook: Webhook) -> None:
    replay = replays.start(webhook, Chosen(ago(1)), by=webhook.created_by)
    assert (replay.total, replay.finished_at is None, replay.stopped_at) == (0, False, None)
    assert replays.running(webhook) is None


def test_it_is_refused_on_a_disabled_webhook_and_while_another_runs(make: Make, webhook: Webhook) -> None:
    settled(make, webhook)
    with transaction():
        webhook.enabled = False
    with pytest.raises(Conflict, match="disabled"):
        replays.start(webhook, Chosen(ago(1)), by=webhook.created_by)
    with transaction():
        webhook.enabled = True
    first = replays.start(webhook, Chosen(ago(1)), by=webhook.created_by)
    with pytest.raises(Conflict, match="is running"):
        replays.start(webhook, Chosen(ago(1)), by=webhook.created_by)
    replays.stop(first, by=webhook.created_by)
    replays.start(webhook, Chosen(ago(1)), by=webhook.created_by)


def test_nobody_else_starts_stops_or_finds_it(make: Make, webhook: Webhook) -> None:
    settled(make, webhook)
    replay = replays.start(webhook, Chosen(ago(1)), by=webhook.created_by)
    stranger = make.user()
    with pytest.raises(NotFound):
        replays.start(webhook, Chosen(ago(1)), by=stranger)
    with pytest.raises(NotFound):
        replays.stop(replay, by=stranger)
    with pytest.raises(NotFound):
        replays.load(make.webhook(by=stranger), replay.id)


def test_stopping_twice_is_stopping_once(make: Make, webhook: Webhook) -> None:
    settled(make, webhook)
    replay = replays.start(webhook, Chosen(ago(1)), by=webhook.created_by)
    replays.stop(replay, by=webhook.created_by)
    stopped_at = replay.stopped_at
    replays.stop(replay, by=webhook.created_by)
    assert replay.stopped_at == stopped_at is not None
    actions = [entry.action for entry in db.session.scalars(sa.select(AuditEntry).order_by(AuditEntry.seq))]
    assert actions == ["webhook.replayed", "webhook.replay_stopped"]
