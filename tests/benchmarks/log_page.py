"""How long the delivery log takes at a million deliveries: `python -m tests.benchmarks.log_page [--rows N]`."""

from __future__ import annotations

import argparse
import re
from datetime import timedelta

import sqlalchemy as sa

from tests.benchmarks.filling import Filled, filled, measure
from tests.conftest import Browser
from webapp.extensions import db
from webapp.models import Delivery, transaction, utc_now

RARE = 20_000  # one in so many is of a rare event type and ended with a rare error
RARE_TYPE, RARE_ERROR = "TODO_DELETED", "tls_error"
HTMX = {"HX-Request": "true"}


def main() -> None:
    """Fill, measure, print."""
    options = argparse.ArgumentParser()
    options.add_argument("--rows", type=int, default=1_000_000)
    options.add_argument("--webhooks", type=int, default=20)
    asked = options.parse_args()
    with filled(deliveries=asked.rows, webhooks=asked.webhooks) as made:
        make_some_rare()
        made.app.test_client_class = Browser
        client = made.app.test_client()
        assert isinstance(client, Browser)
        client.sign_in(made.user)
        print(f"{made.deliveries:,} deliveries of {asked.webhooks} webhooks, median of 7")
        for scope, path in (("all", "/deliveries"), ("one", f"/settings/webhooks/{made.webhooks[0].id}/deliveries")):
            for name, query in questions(made).items():
                taken = measure(lambda path=path, query=query: get(client, f"{path}?{query}"))
                print(f"{scope}, {name:<40}{taken:8.1f} ms")
            poll = news_of(client, path)
            print(f"{scope}, {'news, nothing new':<40}{measure(lambda poll=poll: get(client, poll, HTMX)):8.1f} ms")


def make_some_rare() -> None:
    """So that a filter has something to look for."""
    with transaction() as session:
        session.execute(
            sa.update(Delivery)
            .where(Delivery.seq % RARE == 1)
            .values(event_type=RARE_TYPE, last_error=RARE_ERROR, last_status=None, state="failed")
            .execution_options(synchronize_session=False)
        )
    with transaction() as session:
        session.connection().exec_driver_sql("ANALYZE")


def questions(made: Filled) -> dict[str, str]:
    """What is asked of the log, as it stands in the address."""
    middle = db.session.scalar(sa.select(sa.func.max(Delivery.seq))) or 0
    week_ago = f"{utc_now() - timedelta(days=7):%Y-%m-%dT%H:%M}"
    return {
        "no filter": "",
        "100 rows": "limit=100",
        "a page from the middle": f"before={middle // 2}",
        "failed (1 of 50)": "state=failed",
        "stuck (none)": "state=stuck",
        "retrying": "state=retrying",
        "event type": "event=TODO_MOVED",
        "rare event type": f"event={RARE_TYPE}",
        "rare error": f"error={RARE_ERROR}",
        "response 4xx (none)": "response=4xx",
        "tests (none)": "kind=tests",
        "until a week ago": f"until={week_ago}",
        "until a week ago, failed": f"until={week_ago}&state=failed",
        "until a week ago, rare error": f"until={week_ago}&error={RARE_ERROR}",
        "since a week ago, rare event type": f"since={week_ago}&event={RARE_TYPE}",
    }


def news_of(client: Browser, path: str) -> str:
    """The address of the page's question for news."""
    html = client.get(path).text
    poll = re.search(r'hx-get="([^"]*/news[^"]*)"', html)
    assert poll
    marks = re.findall(r'name="row" value="([^"]+)"', html)
    return poll[1].replace("&amp;", "&") + "".join(f"&row={mark}" for mark in marks)


def get(client: Browser, path: str, headers: dict[str, str] | None = None) -> None:
    """Ask once."""
    assert client.get(path, headers=headers or {}).status_code in {200, 204}


if __name__ == "__main__":
    main()
