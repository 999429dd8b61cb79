"""Where everything is measured: a scratch installation whose real processes run, a receiver, and one publisher."""

from __future__ import annotations

import secrets
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field

import sqlalchemy as sa
from flask import Flask

from webapp import create_app, upgrading, warming
from webapp.accounts import people, tokens
from webapp.benchmark.asking import HOST, Api, ReceiverBook
from webapp.benchmark.processes import Child
from webapp.benchmark.scratch import Scratch, scratch
from webapp.config import Settings
from webapp.delivery import heartbeats
from webapp.extensions import db
from webapp.models import Delivery, DeliveryState, Event, Project, User

START_WITHIN_S = 30.0
LOOK_EVERY_S = 0.003
COMPANY = "bench"


@dataclass(frozen=True)
class Place:
    """A project with webhooks of its own."""

    project: Project
    webhook_ids: list[str] = field(default_factory=list)


class Stage:
    """What the sections work with: `app` is the scratch installation in this process, its context open."""

    def __init__(
        self, app: Flask, scratch: Scratch, *, book: ReceiverBook, web_port: int, person: User, token: str
    ) -> None:
        self.app, self.scratch, self.book, self.web_port = app, scratch, book, web_port
        self.person, self.token = person, token
        self.api = Api(web_port, token)
        self.worker: Child
        self._places = 0

    def place(self, paths: list[str]) -> Place:
        """A new project with a webhook to each of these paths of the receiver."""
        self._places += 1
        project_id = f"bench-{self._places}"
        self.api.call("PUT", f"/projects/{project_id}", {"name": f"Bench {self._places}", "companyId": COMPANY})
        made = [
            self.api.call("POST", "/webhooks", {"name": path, "url": self.book.url(path), "projectIds": [project_id]})[
                "id"
            ]
            for path in paths
        ]
        db.session.rollback()  # what was read before does not know it yet
        project = db.session.get_one(Project, project_id)
        return Place(project, made)

    def clear(self, place: Place) -> None:
        """Delete its webhooks, which cancels what waits, and let the receiver forget."""
        for webhook_id in place.webhook_ids:
            self.api.call("DELETE", f"/webhooks/{webhook_id}")
        self.book.empty()

    def wait_until_fanned_out(self, within_s: float) -> bool:
        """Wait until no event waits for its fan-out; whether that came about."""
        return self._wait_while(sa.select(sa.exists().where(Event.fanned_out_at.is_(None))), within_s)

    def wait_until_settled(self, within_s: float) -> bool:
        """Wait until no event waits for its fan-out and no delivery for its outcome; whether that came about."""
        is_waiting = sa.exists().where(Event.fanned_out_at.is_(None)) | sa.exists().where(
            Delivery.state == DeliveryState.PENDING
        )
        return self._wait_while(sa.select(is_waiting), within_s)

    def _wait_while(self, waiting: sa.Select[bool], within_s: float) -> bool:
        deadline = time.monotonic() + within_s
        db.session.rollback()  # what was read before belongs to an older moment
        while db.session.scalar(waiting):
            db.session.rollback()
            if time.monotonic() > deadline:
                return False
            time.sleep(LOOK_EVERY_S)
        db.session.rollback()
        return True


@contextmanager
def stage(settings: Settings) -> Iterator[Stage]:
    """Set everything up, and take it down again whatever happens. Raises NoScratch, ProcessDied or CallFailed."""
    receiver_port, web_port = _free_ports(2)
    with ExitStack() as stack:
        place = stack.enter_context(
            scratch(settings, base_url=f"http://{HOST}:{web_port}", target=f"{HOST}:{receiver_port}")
        )
        app = create_app(place.settings)
        upgrading.bring_up_to_date(app)
        stack.enter_context(app.app_context())
        stack.callback(_forget_database)

        def start(name: str, *arguments: str) -> Child:
            child = Child(name, arguments, environment=place.environment, folder=place.folder)
            stack.callback(child.stop)
            return child

        start("receiver", "webapp.benchmark.receiver", str(receiver_port)).first_line()
        book = ReceiverBook(receiver_port)
        stack.callback(book.close)
        web = start("web", "webapp", "web", "--host", HOST, "--port", str(web_port))
        person = people.create("bench@example.com", secrets.token_urlsafe(16), name="Bench")
        _, token = tokens.create(person, "bench")
        web.wait_until(lambda: _answers(web_port), START_WITHIN_S)
        made = Stage(app, place, book=book, web_port=web_port, person=person, token=token)
        stack.callback(made.api.close)
        made.worker = start("worker", "webapp", "worker")
        made.worker.wait_until(_is_worker_alive, START_WITHIN_S)
        made.api.call("PUT", f"/companies/{COMPANY}", {"name": "Bench"})
        warming.settle()  # who measures must not pause, either
        stack.callback(book.empty)  # first of all: a worker that waits for an answer takes long to end
        yield made


def _forget_database() -> None:
    db.session.remove()
    db.engine.dispose()


def _free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        probes = [stack.enter_context(closing(socket.socket())) for _ in range(count)]
        for probe in probes:
            probe.bind((HOST, 0))
        return [probe.getsockname()[1] for probe in probes]


def _answers(port: int) -> bool:
    try:
        socket.create_connection((HOST, port), timeout=1).close()
    except OSError:
        return False
    return True


def _is_worker_alive() -> bool:
    db.session.rollback()
    return heartbeats.is_any_alive()
