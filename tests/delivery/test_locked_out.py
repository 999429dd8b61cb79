"""A worker that finds webhooks locked by another one: it looks again soon, and only while something is due."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa

from tests.delivery.conftest import eventually, publish
from tests.factories import Make
from tests.receiver import Receiver
from webapp.delivery import claiming, dispatching
from webapp.delivery.dispatching import Dispatcher
from webapp.extensions import bell, db
from webapp.models import Delivery, Webhook, transaction, utc_now

Start = Callable[..., Dispatcher]


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_what_another_worker_has_in_its_claim_meanwhile_is_sent_as_soon_as_that_is_over(
    start_worker: Start, make: Make, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatching, "LOOK_EVERY_S", 60.0)
    webhook = make.webhook(url=receiver.url)
    start_worker()
    with sa.create_engine(db.engine.url, poolclass=sa.NullPool).begin() as other:
        other.execute(sa.select(Webhook.id).with_for_update(key_share=True))
        publish(make, webhook)
        bell.ring()
        eventually(lambda: db.session.scalar(sa.select(Delivery.seq)))
        assert receiver.requests == []
    receiver.wait_for(1)


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_worker_that_was_locked_out_and_has_nothing_left_to_do_rests_as_usual(
    start_worker: Start, make: Make, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    webhook = make.webhook(url=receiver.url)
    worker = start_worker()
    with sa.create_engine(db.engine.url, poolclass=sa.NullPool).begin() as other:
        other.execute(sa.select(Webhook.id).with_for_update(key_share=True))
        publish(make, webhook)
        bell.ring()
        eventually(lambda: worker._turn.is_locked_out)
        with transaction():
            db.session.execute(sa.update(Delivery).values(lease_until=utc_now() + timedelta(minutes=1)))  # by another
    looks: list[float] = []
    until_due = claiming.until_due

    def noted() -> timedelta | None:
        looks.append(time.monotonic())
        return until_due()

    monkeypatch.setattr(claiming, "until_due", noted)
    eventually(lambda: len(looks) >= 4, within=20)
    assert looks[3] - looks[1] > 3 * claiming.LOCKED_OUT_S
