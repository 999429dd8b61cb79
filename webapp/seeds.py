"""The demo company: people, projects, records, and webhooks that send to inboxes, so that there is something to see."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from webapp.accounts import people
from webapp.config import current
from webapp.models import Inbox, PayloadFormat, Project, RecordList, User
from webapp.receiver import inboxes
from webapp.receiver.answers import Answer
from webapp.webhooks import editing
from webapp.webhooks.editing import NONE, WebhookValues
from webapp.workspace import companies, lists, projects, records

EMAIL = "ada@example.com"
BOARDS = {
    "Website relaunch": {
        "To do": ["Write the imprint", "Choose a typeface", "Ask Grace for photographs", "Redirect the old addresses"],
        "Doing": ["Draw the start page", "Größe der Bilder prüfen"],
        "Done": ["Register the domain"],
    },
    "Orders": {
        "New": ["Order 1001: 3 × desk lamp", "Order 1002: 12 × notebook", "Order 1003: 1 × whiteboard"],
        "Packed": ["Order 1000: 2 × chair"],
        "Sent": ["Order 998: 1 × shelf", "Order 999: 5 × folder"],
    },
}


@dataclass(frozen=True)
class Demo:
    """The sign-in of the demo's operator."""

    email: str
    password: str


def fill_with_demo() -> Demo | None:
    """Fill an empty installation; None, and nothing is changed, when there are people already.

    Everything is made by the same actions that people use, so that it also publishes the events that it would.
    """
    if not people.is_empty():
        return None
    password = secrets.token_urlsafe(12)
    ada = people.create(EMAIL, password, name="Ada Lovelace", is_operator=True)
    company = companies.create("Analytical Engines", by=ada)
    boards = [projects.create(name, company=company, by=ada) for name in BOARDS]
    _set_up_webhooks(ada, boards)
    for board in boards:
        _fill(board, BOARDS[board.name], ada)
    return Demo(EMAIL, password)


def _set_up_webhooks(ada: User, boards: Sequence[Project]) -> None:
    warehouse = _inbox("Warehouse", ada)
    broken = _inbox("A receiver that is down", ada)
    inboxes.answer_with(broken.id, Answer(status=503, body="Down for maintenance"), by=ada)
    _, orders = boards
    editing.create(
        WebhookValues(name="Warehouse", url=_address(warehouse), project_ids=[orders.id]),
        by=ada,
    )
    editing.create(
        WebhookValues(
            name="Chat messages",
            url=_address(_inbox("Chat", ada)),
            events=["TODO_CREATED", "TODO_DONE_STATUS_UPDATED"],
            secret=NONE,
            payload_format=PayloadFormat.COMPACT,
        ),
        by=ada,
    )
    editing.create(
        WebhookValues(name="Accounting", url=_address(broken), events=["TODO_MOVED"], project_ids=[orders.id]), by=ada
    )
    editing.create(WebhookValues(name="Old intranet", url=_address(broken), enabled=False), by=ada)


def _inbox(name: str, ada: User) -> Inbox:
    return inboxes.create(name, by=ada)


def _address(inbox: Inbox) -> str:
    return f"{current().base_url or 'http://127.0.0.1:5000'}/inbox/{inbox.token}"


def _fill(board: Project, columns: dict[str, list[str]], ada: User) -> None:
    made = {title: _column(board, title, ada) for title in columns}
    first = next(iter(made.values()))
    for column, titles in columns.items():
        for title in titles:
            record = records.create(title, list_=first, by=ada)
            if made[column] is not first:
                records.move(record, list_=made[column], by=ada)
            if column in {"Done", "Sent"}:
                records.set_done(record, True, by=ada)
    newest = records.create("Call the printer", list_=first, by=ada)
    records.rename(newest, "Call the printer about the leaflets", by=ada)


def _column(board: Project, title: str, ada: User) -> RecordList:
    """A project may begin with a list of this name."""
    return next((one for one in lists.of(board) if one.title == title), None) or lists.create(
        title, project=board, by=ada
    )
