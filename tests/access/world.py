"""One project with one thing of each kind in it, ten people around it, and a way back to how it was."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from tests.conftest import Browser
from tests.factories import Make
from webapp.accounts import operating, tokens
from webapp.delivery import heartbeats
from webapp.models import CompanyMember, DeliveryKind, DeliveryState, Role, User, transaction, utc_now
from webapp.receiver import arrivals, inboxes
from webapp.receiver.arrivals import Arrival
from webapp.webhooks import handover, replays
from webapp.webhooks.replays import Chosen
from webapp.workspace import imports, members

LINES = "Title,Due date\nCall Ada,2026-05-04\n"

# The people of a project, by their role there, and those who have none.
ROLES = tuple(role.value for role in Role)
OUTSIDERS = ("STRANGER", "OPERATOR", "SUSPENDED", "SIGNED_OUT")
PEOPLE = ROLES + OUTSIDERS


class World:
    """The people by name, and by the names that routes have for them the ids of OWNER's and the project's things."""

    def __init__(self, make: Make) -> None:
        self._make = make
        self.people = {name: make.user(name=name.title()) for name in PEOPLE if name != "SIGNED_OUT"}
        self.owner = self.people["OWNER"]
        self.project = make.project(owner=self.owner, id="project")
        for name in ROLES[1:]:
            make.member(self.project, self.people[name], Role(name))
        make.member(self.project, self.people["SUSPENDED"], Role.ADMIN)
        make.project(owner=self.people["STRANGER"])
        self._join_the_company(self.people["ADMIN"])
        with transaction():
            self.people["OPERATOR"].is_operator = True
        self.ids: dict[str, Any] = {**self._of_the_board(), **self._of_the_owner(), **self._of_everybody()}
        self.tokens = {name: self._token(user) for name, user in self.people.items()}
        with transaction():
            self.people["SUSPENDED"].suspended_at = utc_now()
        heartbeats.beat("worker", threads=1)

    def _join_the_company(self, person: User) -> None:
        with transaction() as session:
            session.add(CompanyMember(company_id=self.project.company_id, user_id=person.id, role=Role.MEMBER))

    def _token(self, person: User) -> str:
        """A token whose uses are not noted: they would be what a refused call writes."""
        token, text = tokens.create(person, "a program")
        with transaction():
            token.last_used_at = utc_now() + timedelta(days=1)
        return text

    def _of_the_board(self) -> dict[str, Any]:
        make, client = self._make, self.people["CLIENT"]
        record = make.record(make.list(self.project))
        item = make.item(make.checklist(record))
        return {
            "project_id": self.project.id,
            "company_id": self.project.company_id,
            "list_id": record.list_id,
            "record_id": record.id,
            "comment_id": make.comment(record, by=client).id,
            "checklist_id": item.checklist_id,
            "item_id": item.id,
            "tag_id": make.tag(self.project).id,
            "field_id": make.field(self.project).id,
            "event_id": make.event(self.project, fanned_out_at=utc_now()).id,
            "import_id": imports.upload(LINES, "plan.csv", list_=record.list, by=self.owner, zone="UTC").id,
        }

    def _of_the_owner(self) -> dict[str, Any]:
        make, owner = self._make, self.owner
        webhook = make.webhook(by=owner)
        delivery = make.delivery(webhook, state=DeliveryState.FAILED)
        make.attempt(delivery)
        handover.offer(webhook, self.people["ADMIN"].id, by=owner)
        inbox = inboxes.create("Mine", by=owner)
        arrivals.receive(inbox.token, Arrival("POST", "/", [], b"{}", "127.0.0.1"))
        return {
            "webhook_id": webhook.id,
            "delivery_id": delivery.id,
            "number": 1,
            "ping_id": make.delivery(webhook, kind=DeliveryKind.PING).id,
            "test_id": make.delivery(webhook, kind=DeliveryKind.TEST).id,
            "replay_id": replays.start(webhook, Chosen(utc_now()), by=owner).id,
            "inbox_id": inbox.id,
            "inbox_token": inbox.token,
            "request_id": arrivals.requests(inbox)[0].request.id,
            "token_id": tokens.create(owner, "another program")[0].id,
        }

    def _of_everybody(self) -> dict[str, Any]:
        colleague, operator = self._make.user(), self.people["OPERATOR"]
        self._make.member(self.project, colleague)
        self._join_the_company(colleague)
        invited = members.add(self.project, "grace@example.com", "MEMBER", by=self.owner)
        assert invited.invitation
        return {
            "user_id": colleague.id,
            "invitation_id": invited.invitation.id,
            "invitation_token": invited.token,
            "reset_token": operating.give_link(self._make.user(), by=operator),
            "code": "TODO_CREATED",
            "payload_format": "full",
            "ending": "csv",
            "rest": "orders",
        }

    def filled(self, value: Any) -> Any:
        """A body or form with `$list_id` and the like replaced by ids."""
        text = json.dumps(value)
        for name in sorted(self.ids, key=len, reverse=True):
            text = text.replace(f"${name}", str(self.ids[name]))
        return json.loads(text)


class Undo:
    """The file of the database, as it was: whether somebody wrote to it since, and the way back."""

    def __init__(self, url: str) -> None:
        self._live = sqlite3.connect(Path(url.removeprefix("sqlite:///")), isolation_level=None)
        self._live.execute("PRAGMA synchronous = OFF")
        self._kept = sqlite3.connect(":memory:")
        self._live.backup(self._kept)
        self._version = self.now()

    def now(self) -> int:
        """A number that grows with each write of somebody."""
        version: int = self._live.execute("PRAGMA data_version").fetchone()[0]
        return version

    @property
    def is_written(self) -> bool:
        """Whether anything was written since it was last as it was."""
        return self.now() != self._version

    def restore(self) -> None:
        """Make everything as it was."""
        if self.is_written:
            self._kept.backup(self._live)
            self._version = self.now()

    def close(self) -> None:
        """Let go of the file."""
        self._live.close()
        self._kept.close()


@contextmanager
def undo(url: str) -> Iterator[Undo]:
    """Keep what the database holds now."""
    kept = Undo(url)
    try:
        yield kept
    finally:
        kept.close()


def be(client: Browser, person: User | None) -> Browser:
    """A browser of this person; None = nobody."""
    with client.session_transaction() as session:
        session.clear()
    return client.sign_in(person) if person else client
