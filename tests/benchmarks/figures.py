"""How long the list of webhooks and an overview take at a million deliveries, and what counting adds to recording.

`python -m tests.benchmarks.figures [--deliveries N] [--webhooks N]`
"""

from __future__ import annotations

import argparse
import time

import sqlalchemy as sa

from tests.benchmarks.filling import filled, measure
from tests.conftest import Browser
from webapp.delivery import counting
from webapp.delivery.counting import Counted
from webapp.delivery.recorder import MAX_BATCH as BATCH
from webapp.extensions import db
from webapp.models import WebhookHour, transaction, utc_now


def main() -> None:
    """Fill, measure, print."""
    options = argparse.ArgumentParser()
    options.add_argument("--deliveries", type=int, default=1_000_000)
    options.add_argument("--webhooks", type=int, default=20)
    asked = options.parse_args()
    with filled(deliveries=asked.deliveries, webhooks=asked.webhooks) as made:
        made.app.test_client_class = Browser
        client = made.app.test_client()
        assert isinstance(client, Browser)
        client.sign_in(made.user)
        one = f"/settings/webhooks/{made.webhooks[0].id}"
        pages = {
            "list": "/settings/webhooks",
            **{f"overview {span}": f"{one}?span={span}" for span in ("24h", "7d", "30d")},
        }
        hours = db.session.scalar(sa.select(sa.func.count()).select_from(WebhookHour))
        print(f"{made.deliveries:,} deliveries of {asked.webhooks} webhooks, {hours:,} rows of counted hours")
        for count in (1, BATCH):
            print(f"{f'counting 10,000 attempts, {count} webhooks':<36}{_count_in_batches(count):8.1f} ms")
        for name, path in pages.items():
            for kind, headers in (("page", {}), ("refresh", {"HX-Request": "true"})):
                taken = measure(lambda path=path, headers=headers: _get(client, path, headers))
                print(f"{name + ', ' + kind:<36}{taken:8.1f} ms")


def _count_in_batches(webhooks: int) -> float:
    """What counting adds to the recording of 10,000 attempts, in batches as a busy recorder writes them; in ms."""
    now, taken = utc_now(), 0.0
    for _ in range(10_000 // BATCH):
        ended = [
            Counted(f"bench-{place % webhooks}", now, is_first=True, outcome="2xx", bucket=place % 8)
            for place in range(BATCH)
        ]
        with transaction() as session:
            began = time.perf_counter()
            counting.count(session.connection(), ended)
            taken += time.perf_counter() - began
    return taken * 1000


def _get(client: Browser, path: str, headers: dict[str, str]) -> None:
    assert client.get(path, headers=headers).status_code == 200


if __name__ == "__main__":
    main()
