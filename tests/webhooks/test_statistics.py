"""The figures of the list."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa

from tests.conftest import Cast
from tests.factories import Make
from webapp.extensions import db
from webapp.models import DeliveryState, User, transaction, utc_now
from webapp.webhooks import access, statistics
from webapp.webhooks.words import WebhookWord


def test_a_webhook_without_deliveries_is_new_and_has_no_rate(cast: Cast, make: Make) -> None:
    webhook = make.webhook(by=cast.admin)
    figures = statistics.figures([webhook])[webhook.id]
    assert figures == statistics.Figures(word=WebhookWord.NEW)
    assert figures.success_percent is None


def test_counts_rate_and_last_delivery(cast: Cast, make: Make) -> None:
    webhook = make.webhook(by=cast.admin)
    make.attempt(make.delivery(webhook, state="failed"), status=500, claimed_at=utc_now() - timedelta(hours=25))
    for _ in range(3):
        make.attempt(make.delivery(webhook, state="succeeded"))
    make.attempt(make.delivery(webhook, kind="ping", state="failed"), status=500)
    make.attempt(make.delivery(webhook, state="failed"), status=500)
    for state in ("held", "held", "stuck"):
        make.delivery(webhook, state=state)
    last = make.delivery(webhook)
    figures = statistics.figures([webhook])[webhook.id]
    assert (figures.waiting, figures.held, figures.stuck) == (1, 2, 1)
    assert (figures.succeeded, figures.failed, figures.success_percent) == (3, 1, 75)
    assert len(figures.tries) == 24
    assert (figures.last_at, figures.last_state) == (last.created_at, DeliveryState.PENDING)
    assert figures.word is WebhookWord.HEALTHY


def test_failed_attempts_lower_the_rate_while_their_delivery_is_still_retried(cast: Cast, make: Make) -> None:
    webhook = make.webhook(by=cast.admin)
    make.attempt(make.delivery(webhook, state="succeeded"))
    make.attempt(make.delivery(webhook, attempts_counted=1), status=500)
    figures = statistics.figures([webhook])[webhook.id]
    assert (figures.word, figures.success_percent) == (WebhookWord.FAILING, 50)


def test_retrying_shows_as_failing_and_a_pause_goes_first(cast: Cast, make: Make) -> None:
    failing, paused = make.webhook(by=cast.admin), make.webhook(by=cast.admin)
    for webhook in (failing, paused):
        make.attempt(make.delivery(webhook, attempts_counted=1), status=500)
    with transaction():
        paused.health.paused_at = utc_now()
    figures = statistics.figures([failing, paused])
    assert (figures[failing.id].word, figures[paused.id].word) == (WebhookWord.FAILING, WebhookWord.PAUSED)


def test_many_webhooks_cost_no_more_queries_than_one(cast: Cast, make: Make) -> None:
    for _ in range(5):
        make.delivery(make.webhook(by=cast.admin))
    queries: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        queries.append(statement)

    user_id = cast.admin.id
    sa.event.listen(db.engine, "before_cursor_execute", note)
    assert len(statistics.figures(access.of(User(id=user_id)))) == 5
    sa.event.remove(db.engine, "before_cursor_execute", note)
    assert len(queries) == 6
