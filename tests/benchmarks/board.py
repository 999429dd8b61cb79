"""How long the server takes for the board of a large project: `python -m tests.benchmarks.board [--records N]`.

The records stand in few long lists, in many short ones, and in one; half of them carry tags, people, dates, checklists
and comments.
"""

from __future__ import annotations

import argparse
import re
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from tests.benchmarks.filling import filled, measure
from tests.conftest import Browser
from tests.factories import Make
from webapp.extensions import db
from webapp.models import (
    Checklist,
    ChecklistItem,
    Comment,
    Project,
    Record,
    RecordAssignee,
    RecordTag,
    User,
    transaction,
    utc_now,
)
from webapp.models.base import table_of

HTMX = {"HX-Request": "true", "HX-Target": "board"}
SHAPES = {"8 long lists": 8, "20 lists": 20, "50 lists": 50, "one list": 1}


def main() -> None:
    """Fill, measure, print."""
    options = argparse.ArgumentParser()
    options.add_argument("--records", type=int, default=2_000)
    count = options.parse_args().records
    with filled(deliveries=1, webhooks=1) as made:
        made.app.test_client_class = Browser
        client = made.app.test_client()
        assert isinstance(client, Browser)
        client.sign_in(made.user)
        print(f"{count:,} records, shortest of 7{'':<28}{'ms':>8}{'cards':>8}{'KB':>8}")
        for name, lists in SHAPES.items():
            path = f"/projects/{fill(made.user, count, lists).id}"
            ask(client, f"{name}, whole page", path)
            ask(client, f"{name}, the board alone", path, HTMX)
            ask(client, f"{name}, filter by title", f"{path}?q=record+1")
            html = client.get(path).text
            poll = re.search(r'hx-get="([^"]*seen=[^"]*)"', html)
            assert poll
            ask(client, f"{name}, nothing new", poll[1].replace("&amp;", "&"), HTMX)
            if more := re.search(r'href="([^"]*\?list=[^"]*)"', html):
                ask(client, f"{name}, one list whole", more[1], HTMX)


def ask(client: Browser, name: str, path: str, headers: dict[str, str] | None = None) -> None:
    """Measure one question, and print it with the size of the answer."""
    answer = client.get(path, headers=headers or {})
    assert answer.status_code in {200, 204}
    taken = measure(lambda: client.get(path, headers=headers or {}))
    cards = answer.text.count('class="board-card"')
    print(f"{name:<50}{taken:8.1f}{cards:8}{len(answer.data) / 1024:8.0f}")


def fill(user: User, count: int, lists: int) -> Project:
    """A project with so many records, the same number in each list."""
    make = Make()
    project = make.project(owner=user)
    tags = [make.tag(project, f"Tag {number}") for number in range(5)]
    columns = [make.list(project, title=f"List {number}", position=float(number)) for number in range(lists)]
    now = utc_now()
    records: list[dict[str, Any]] = [
        {
            "id": f"{project.id}{number}",
            "title": f"Record {number} of a large project",
            "position": float(number),
            "list_id": columns[number % lists].id,
            "done": number % 5 == 0,
            "dued_at": now + timedelta(days=number % 90 - 45) if number % 2 else None,
        }
        for number in range(count)
    ]
    rich = [record["id"] for record in records[::2]]
    with transaction() as session:

        def insert(model: type, rows: list[dict[str, Any]]) -> None:
            session.connection().execute(sa.insert(table_of(model)), rows)

        insert(Record, records)
        insert(RecordTag, [{"record_id": one, "tag_id": tag.id} for one in rich for tag in tags[:2]])
        insert(RecordAssignee, [{"record_id": one, "user_id": user.id} for one in rich])
        insert(Comment, [{"record_id": one, "text": "Hm", "html": "Hm", "user_id": user.id} for one in rich])
        lists_of = [{"id": f"c{one}", "record_id": one, "title": "Steps", "position": 1.0} for one in rich]
        insert(Checklist, lists_of)
        steps = [{"checklist_id": f"c{one}", "title": "Step", "position": 1.0, "done": True} for one in rich]
        insert(ChecklistItem, steps)
        session.connection().exec_driver_sql("ANALYZE")
    db.session.expire_all()
    return project


if __name__ == "__main__":
    main()
