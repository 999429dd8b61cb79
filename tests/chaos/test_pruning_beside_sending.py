"""What is old is deleted while events are sent: whoever waits for a delivery hardly notices. It takes two minutes."""

from __future__ import annotations

import json
import statistics
import threading
import time
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.benchmarks.growing import PER_EVENT, Grown, grown
from tests.receiver import Receiver
from webapp.config import current
from webapp.delivery import outbox, pruning
from webapp.delivery.dispatching import Dispatcher
from webapp.extensions import bell
from webapp.models import Delivery, Event, Webhook, database_now, transaction, utc_now

OLD = 30_000  # deliveries, of 40,000
EVERY_S = 0.02
EVENTS = 500
SLACK_MS = 5.0  # below this, twice is nothing


@pytest.mark.soak
@pytest.mark.timeout(600)
@pytest.mark.proves("A26")
def test_deleting_what_is_old_at_most_doubles_the_p99_of_what_is_sent(
    tmp_path: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WEBAPP_ALLOW_TARGETS", receiver.target)
    with grown(f"sqlite:///{tmp_path / 'app.db'}", tmp_path, deliveries=40_000, seconds=300) as made:
        assert made
        _point_at(made, receiver)
        worker = Dispatcher(made.app)
        worker.start()
        monkeypatch.setattr(bell, "_ring", worker.wake)
        try:
            _p99(made, receiver, 50)  # warms up
            alone = _p99(made, receiver, EVENTS)
            _age()
            pruned: list[dict[str, int]] = []
            pruning_thread = threading.Thread(target=lambda: pruned.append(_prune(made)))
            pruning_thread.start()
            beside = _p99(made, receiver, EVENTS)
            assert pruning_thread.is_alive(), "it ended before the measurement did: fill more"
        finally:
            worker.stop()
        pruning_thread.join(300)
    with capsys.disabled():
        print(f"\np99 to arrival: {alone:.1f} ms alone, {beside:.1f} ms while {OLD:,} deliveries are deleted")

    assert pruned[0]["deliveries"] > OLD * 0.9
    assert beside <= 2 * alone + SLACK_MS


def _point_at(made: Grown, receiver: Receiver) -> None:
    with transaction() as session:
        one = Webhook.id == made.webhooks[0].id
        for whom, values in ((one, {"url": receiver.url, "project_ids": []}), (~one, {"deleted_at": database_now()})):
            session.execute(sa.update(Webhook).where(whom).values(values).execution_options(synchronize_session=False))


def _p99(made: Grown, receiver: Receiver, count: int) -> float:
    """Of so many events, one each EVERY_S, in ms."""
    before = len(receiver.requests)
    published: dict[str, datetime] = {}
    for number in range(count):
        key = f"r{before}-{number}"
        published[key] = utc_now()
        with transaction():
            outbox.publish("TODO_CREATED", project=made.projects[0], by=made.user, current={"id": key})
        time.sleep(EVERY_S)  # the rate, not a synchronisation
    arrived = receiver.wait_for(before + count, within=30)[before:]
    spans = [
        (request.received_at - published[json.loads(request.body)["currentValue"]["id"]]).total_seconds() * 1000
        for request in arrived
    ]
    return statistics.quantiles(spans, n=100)[98]


def _age() -> None:
    """Most of what is there becomes older than the retention."""
    long_ago = database_now() - timedelta(days=current().retention_days + 1)
    for table, key in ((Event, Event.seq), (Delivery, Delivery.event_seq)):
        with transaction() as session:
            old = sa.update(table).where(key <= OLD // PER_EVENT).values(created_at=long_ago)
            session.execute(old.execution_options(synchronize_session=False))


def _prune(made: Grown) -> dict[str, int]:
    with made.app.app_context():
        return pruning.prune()
