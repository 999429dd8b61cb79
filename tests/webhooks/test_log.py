"""The delivery log: pages, filters, what is new."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

import pytest

from tests.conftest import Cast
from tests.factories import Make
from webapp.models import (
    Delivery,
    DeliveryKind,
    DeliveryState,
    ErrorWord,
    NotFound,
    Webhook,
    transaction,
    utc_now,
)
from webapp.webhooks import editing, log
from webapp.webhooks.log import LogFilter


@pytest.fixture
def webhook(cast: Cast, make: Make) -> Webhook:
    return make.webhook(by=cast.admin)


def seqs(deliveries: Iterable[Delivery]) -> list[int]:
    return [delivery.seq for delivery in deliveries]


def test_newest_first_in_pages_that_lead_to_each_other(cast: Cast, make: Make, webhook: Webhook) -> None:
    other = make.webhook(by=cast.admin)
    made = seqs(make.delivery(webhook if number % 3 else other) for number in range(7))[::-1]
    first = log.deliveries(cast.admin, LogFilter(), limit=3)
    second = log.deliveries(cast.admin, LogFilter(), first.older, limit=3)
    third = log.deliveries(cast.admin, LogFilter(), second.older, limit=3)
    assert [seqs(page.deliveries) for page in (first, second, third)] == [made[:3], made[3:6], made[6:]]
    assert (first.newer, third.older) == (None, None)
    back = log.deliveries(cast.admin, LogFilter(), third.newer, limit=3, is_upwards=True)
    assert seqs(back.deliveries) == made[3:6]
    top = log.deliveries(cast.admin, LogFilter(), back.newer, limit=3, is_upwards=True)
    assert (seqs(top.deliveries), top.newer) == (made[:3], None)


def test_each_filter_finds_what_it_says(cast: Cast, make: Make, webhook: Webhook) -> None:
    other_project = make.project(owner=cast.admin)
    event = make.event(other_project, type="TODO_MOVED", record_id="record-7", fanned_out_at=utc_now())
    moved = make.delivery(webhook, event=event, state="succeeded", last_status=204)
    refused = make.delivery(webhook, state="failed", last_error=ErrorWord.CONNECT_REFUSED)
    server_error = make.delivery(webhook, last_status=503)
    ping = make.delivery(webhook, kind=DeliveryKind.PING, state="succeeded", last_status=200)
    elsewhere = make.delivery(make.webhook(by=cast.admin))

    def found(**filters: object) -> list[int]:
        page = log.deliveries(cast.admin, LogFilter(**filters))  # type: ignore[arg-type]
        return seqs(page.deliveries)[::-1]

    assert found() == seqs([moved, refused, server_error, ping, elsewhere])
    assert found(webhook_id=elsewhere.webhook_id) == [elsewhere.seq]
    assert found(states=[DeliveryState.FAILED]) == [refused.seq]
    assert found(event_types=["TODO_MOVED"]) == [moved.seq]
    assert found(project_id=other_project.id) == [moved.seq]
    assert found(status_class="2xx") == seqs([moved, ping])
    assert found(status_class="5xx") == [server_error.seq]
    assert found(status_class="none") == [refused.seq]
    assert found(status_class="7xx") == []
    assert found(error=ErrorWord.CONNECT_REFUSED) == [refused.seq]
    assert found(is_real=False) == [ping.seq]
    assert ping.seq not in found(is_real=True)
    assert found(text=moved.id) == found(text=event.id) == found(text="record-7") == [moved.seq]
    assert found(text="record-8") == []


def test_a_span_of_time(cast: Cast, make: Make, webhook: Webhook) -> None:
    now = utc_now()
    old = make.delivery(webhook, created_at=now - timedelta(hours=2))
    new = make.delivery(webhook, created_at=now)
    hour_ago = now - timedelta(hours=1)
    assert seqs(log.deliveries(cast.admin, LogFilter(since=hour_ago)).deliveries) == [new.seq]
    assert seqs(log.deliveries(cast.admin, LogFilter(until=hour_ago)).deliveries) == [old.seq]


def test_others_see_nothing_of_it(cast: Cast, make: Make, webhook: Webhook) -> None:
    delivery = make.delivery(webhook)
    for other in (cast.teammate, cast.stranger):
        assert log.deliveries(other, LogFilter()).deliveries == []
        assert log.newer(other, LogFilter(), after=0, shown=(), watched=[delivery.seq]) == log.News([], [])
        with pytest.raises(NotFound):
            log.deliveries(other, LogFilter(webhook_id=webhook.id))
        with pytest.raises(NotFound):
            log.load(other, delivery.id)
    assert log.load(cast.admin, delivery.id) is delivery
    assert log.load(cast.admin, delivery.id, webhook.id) is delivery
    with pytest.raises(NotFound):
        log.load(cast.admin, delivery.id, "another")


def test_deliveries_of_a_deleted_webhook_stay_in_the_log(cast: Cast, make: Make, webhook: Webhook) -> None:
    delivery = make.delivery(webhook)
    editing.delete(webhook, by=cast.admin)
    assert seqs(log.deliveries(cast.admin, LogFilter()).deliveries) == [delivery.seq]
    assert log.load(cast.admin, delivery.id).state is DeliveryState.CANCELLED


def test_news_are_the_new_ones_and_the_watched_ones(cast: Cast, make: Make, webhook: Webhook) -> None:
    first, second = make.delivery(webhook), make.delivery(webhook)
    third = make.delivery(webhook)
    with transaction():
        first.state = DeliveryState.SUCCEEDED
    news = log.newer(cast.admin, LogFilter(), after=second.seq, shown=[first.seq, second.seq], watched=[first.seq])
    assert seqs(news.fresh) == [third.seq]
    assert [row.state for row in news.watched] == [DeliveryState.SUCCEEDED]


def test_a_row_that_became_visible_late_is_found_among_those_on_screen(
    cast: Cast, make: Make, webhook: Webhook
) -> None:
    below, shown, late, newest = (make.delivery(webhook) for _ in range(4))
    news = log.newer(cast.admin, LogFilter(), after=newest.seq, shown=[shown.seq, newest.seq], watched=())
    assert seqs(news.fresh) == [late.seq]
    assert below.seq < shown.seq


def test_a_closed_period_has_no_news(cast: Cast, make: Make, webhook: Webhook) -> None:
    filters = LogFilter(until=utc_now())
    make.delivery(webhook)
    assert log.newer(cast.admin, filters, after=0, shown=(), watched=()).fresh == []


def test_a_watched_row_is_told_even_if_the_filter_no_longer_fits(cast: Cast, make: Make, webhook: Webhook) -> None:
    delivery = make.delivery(webhook, state=DeliveryState.SUCCEEDED)
    filters = LogFilter(states=[DeliveryState.PENDING])
    news = log.newer(cast.admin, filters, after=delivery.seq, shown=[delivery.seq], watched=[delivery.seq])
    assert seqs(news.watched) == [delivery.seq]


def test_attempts_come_in_order_and_the_body_as_it_is_sent(cast: Cast, make: Make, webhook: Webhook) -> None:
    delivery = make.delivery(webhook)
    make.attempt(delivery, status=500)
    make.attempt(delivery)
    assert [(attempt.number, attempt.status) for attempt in log.attempts(delivery)] == [(1, 500), (2, 200)]
    body = log.body(delivery)
    assert body.startswith(b'{"event":"TODO_CREATED","webhook":{"id":"' + webhook.id.encode())
    assert delivery.event is not None
    assert body.endswith(b',"currentValue":' + (delivery.event.current_value or b"") + b"}")


def test_neighbours_and_the_oldest(cast: Cast, make: Make, webhook: Webhook) -> None:
    older, middle, newer = (make.delivery(webhook) for _ in range(3))
    make.delivery()
    assert log.neighbours(middle) == (newer.id, older.id)
    assert log.neighbours(newer) == (None, middle.id)
    assert log.oldest_at(cast.admin) == older.created_at
    assert log.oldest_at(cast.stranger) is None


def test_the_log_of_a_deleted_webhook_stays_readable_for_its_owner_alone(cast: Cast, make: Make) -> None:
    webhook = make.webhook(by=cast.admin, deleted_at=utc_now(), enabled=False)
    delivery = make.delivery(webhook, state=DeliveryState.CANCELLED)
    filters = LogFilter(webhook_id=webhook.id)
    assert [row.id for row in log.deliveries(cast.admin, filters).deliveries] == [delivery.id]
    with pytest.raises(NotFound):
        log.deliveries(cast.stranger, filters)
