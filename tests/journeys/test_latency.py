"""How long a change waits before its request is on the way, in an installation as people start it."""

from __future__ import annotations

from datetime import datetime
from statistics import median, quantiles

import pytest

from tests.chaos.installation import Installation, wait_until

pytestmark = pytest.mark.journey

EVENTS = 30
MEDIAN_LIMIT_MS = 1_000  # other tests share the machine; on an idle one it is a few milliseconds


def test_a_change_is_on_its_way_at_once(demo: Installation) -> None:
    token = demo.run("token", "create", "--user", "ada@example.com")
    demo.call("PUT", "/companies/c1", token, {"name": "Bernoulli & Co"})
    demo.call("PUT", "/projects/p1", token, {"name": "Latency", "companyId": "c1"})
    inbox = next(each["url"] for each in demo.call("GET", "/webhooks", token)["items"] if each["name"] == "Warehouse")
    webhook = demo.call("POST", "/webhooks", token, {"name": "Latency", "url": inbox, "projectIds": ["p1"]})["id"]
    for number in range(1, EVENTS + 1):
        event = {"event": "TODO_CREATED", "projectId": "p1", "currentValue": {"id": f"c{number}"}}
        demo.call("POST", "/events", token, event)
        # The next one finds the worker idle again and must wake it.
        wait_until(lambda count=number: len(_waits_ms(demo, webhook)) == count, 20, f"event {number} is delivered")
    waits = _waits_ms(demo, webhook)
    tenths = quantiles(waits, n=10)
    print(f"\nfrom event.created_at to attempt.started_at: p50 {median(waits):.1f} ms, p90 {tenths[-1]:.1f} ms")
    assert median(waits) < MEDIAN_LIMIT_MS


def _waits_ms(installation: Installation, webhook_id: str) -> list[float]:
    """From each event of a webhook to the start of its first request, milliseconds."""
    rows = installation.rows(
        "SELECT event.created_at, attempt.started_at FROM delivery JOIN event ON event.seq = delivery.event_seq"
        " JOIN attempt ON attempt.delivery_seq = delivery.seq"
        " WHERE delivery.webhook_id = ? AND delivery.state = 'succeeded' AND attempt.number = 1",
        webhook_id,
    )
    times = [(datetime.fromisoformat(happened), datetime.fromisoformat(began)) for happened, began in rows]
    return [(began - happened).total_seconds() * 1000 for happened, began in times]
