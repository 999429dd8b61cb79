"""Who loses the role while a worker finds the webhooks of an event gets nothing of it, whichever of the two is first.

PostgreSQL alone: on SQLite the write lock lets one of them begin when the other has ended.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from tests.factories import Make
from webapp.accounts import operating
from webapp.delivery import cancelling, fan_out
from webapp.extensions import db
from webapp.models import Delivery, DeliveryState, Event, Project, Role, User, Webhook, utc_now
from webapp.webhooks import handover, redelivery
from webapp.workspace import members

pytestmark = pytest.mark.parametrize("database", ["postgresql"], indirect=True)

CANCELLED, PENDING = [(DeliveryState.CANCELLED, "role_lost")], [(DeliveryState.PENDING, None)]


class Meanwhile:
    """Somebody else at work, on a connection of their own."""

    def __init__(self, app: Flask, act: Callable[[], object]) -> None:
        self._app, self._act = app, act
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run)

    def come_as_far_as_it_can(self) -> None:
        """Begin; returns when all is done, or when it waits for a lock."""
        self._thread.start()
        while self._thread.is_alive() and not _is_anybody_waiting():
            self._thread.join(0.01)

    def end(self) -> None:
        """Wait for the end; raises what went wrong."""
        self._thread.join(10)
        assert not self._thread.is_alive()
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        with self._app.app_context():
            try:
                self._act()
            except BaseException as error:
                self._error = error
            finally:
                db.session.remove()


def _is_anybody_waiting() -> bool:
    with db.engine.connect() as connection:
        return bool(connection.execute(sa.text("SELECT count(*) FROM pg_locks WHERE NOT granted")).scalar())


def interleave(monkeypatch: pytest.MonkeyPatch, module: Any, name: str, other: Meanwhile) -> None:
    """After the first call of this function the other one comes as far as it can."""
    original = getattr(module, name)

    def call(*arguments: Any, **named: Any) -> Any:
        found = original(*arguments, **named)
        monkeypatch.setattr(module, name, original)
        other.come_as_far_as_it_can()
        return found

    monkeypatch.setattr(module, name, call)


def standing() -> list[tuple[DeliveryState, str | None]]:
    db.session.rollback()
    return [(each.state, each.reason) for each in db.session.scalars(sa.select(Delivery))]


class Office:
    """Olga owns a project and runs the installation; Ada administers the project and has a webhook."""

    def __init__(self, app: Flask, make: Make) -> None:
        self.app = app
        self.olga, self.ada = make.user(is_operator=True), make.user()
        self.project = make.project(self.olga)
        make.member(self.project, self.ada, Role.ADMIN)
        self.webhook = make.webhook(by=self.ada)
        self.ids = (self.olga.id, self.ada.id, self.project.id)

    def lose(self, how: str) -> None:
        """Ada loses the role, in this way; with objects of whoever calls it."""
        olga, ada, project = (
            db.session.get_one(model, id_) for model, id_ in zip((User, User, Project), self.ids, strict=True)
        )
        ways: dict[str, Callable[[], object]] = {
            "lowered": lambda: members.change_role(project, ada.id, "MEMBER", by=olga),
            "removed": lambda: members.remove(project, ada.id, by=olga),
            "suspended": lambda: operating.suspend(ada, by=olga),
            "deleted": lambda: operating.delete(ada, by=olga),
        }
        ways[how]()

    def meanwhile_lose(self, how: str) -> Meanwhile:
        return Meanwhile(self.app, lambda: self.lose(how))


@pytest.fixture
def office(app: Flask, make: Make) -> Office:
    return Office(app, make)


@pytest.mark.parametrize(
    ("how", "left"), [("lowered", CANCELLED), ("removed", CANCELLED), ("suspended", CANCELLED), ("deleted", [])]
)
def test_a_delivery_made_at_that_moment_is_cancelled(
    office: Office, make: Make, monkeypatch: pytest.MonkeyPatch, how: str, left: list[Any]
) -> None:
    make.event(office.project)
    losing = office.meanwhile_lose(how)
    interleave(monkeypatch, fan_out, "Judge", losing)
    assert fan_out.fan_out() == 1
    losing.end()
    assert standing() == left


@pytest.mark.parametrize("how", ["lowered", "removed", "suspended"])
def test_no_delivery_is_made_before_the_loss_is_saved(
    office: Office, make: Make, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    make.event(office.project)
    fanning_out = Meanwhile(office.app, fan_out.fan_out)
    interleave(monkeypatch, cancelling, "cancel_for_lost_role", fanning_out)
    office.lose(how)
    fanning_out.end()
    assert db.session.scalars(sa.select(Event)).one().fanned_out_at is not None
    assert standing() == []


@pytest.mark.parametrize("keeps_source", [True, False])
def test_of_a_move_between_two_projects_one_is_enough(
    office: Office, make: Make, monkeypatch: pytest.MonkeyPatch, keeps_source: bool
) -> None:
    source = make.project(office.olga)
    make.member(source, office.ada, Role.ADMIN if keeps_source else Role.MEMBER)
    make.event(office.project, type="TODO_MOVED", source_project_id=source.id)
    losing = office.meanwhile_lose("lowered")
    interleave(monkeypatch, fan_out, "Judge", losing)
    fan_out.fan_out()
    losing.end()
    assert standing() == (PENDING if keeps_source else CANCELLED)


def offered(office: Office) -> Callable[[], object]:
    """Ada offers her webhook to Olga; returns how Olga takes it."""
    handover.offer(office.webhook, office.olga.id, by=office.ada)
    webhook_id, olga_id = office.webhook.id, office.olga.id
    return lambda: handover.accept(webhook_id, by=db.session.get_one(User, olga_id))


def test_a_webhook_that_is_handed_over_at_that_moment_misses_nothing(
    office: Office, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    take = offered(office)
    make.event(office.project)
    fanning_out = Meanwhile(office.app, fan_out.fan_out)
    interleave(monkeypatch, cancelling, "cancel_for_lost_role", fanning_out)
    take()
    fanning_out.end()
    assert standing() == PENDING


def test_a_handover_takes_only_what_its_new_owner_administers(
    office: Office, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    take = offered(office)
    elsewhere = make.project(office.ada)
    make.event(elsewhere)
    taking = Meanwhile(office.app, take)
    interleave(monkeypatch, fan_out, "Judge", taking)
    fan_out.fan_out()
    taking.end()
    assert standing() == CANCELLED
    assert db.session.get_one(Webhook, office.webhook.id).created_by_id == office.olga.id


def test_a_wish_to_send_again_at_that_moment_ends(office: Office, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    event = make.event(office.project, fanned_out_at=utc_now())
    delivery = make.delivery(office.webhook, event, state=DeliveryState.FAILED)
    losing = office.meanwhile_lose("lowered")
    interleave(monkeypatch, redelivery, "refusal", losing)
    wish = redelivery.redeliver(delivery, by=office.ada)
    losing.end()
    db.session.rollback()
    assert wish.finished_at is not None
