"""When the database is locked, full or broken: 503 or 500 and never a 202 that is not on disk; a silent queue: 202."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from tests.api.conftest import Program
from tests.conftest import Cast
from tests.factories import Make
from webapp.extensions import bell, db
from webapp.models import Base, Event, Project, engine

Count = Callable[[type[Base]], int]


@pytest.fixture
def app(make_app: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch) -> Flask:
    """An application that waits for a locked database for a moment only."""
    monkeypatch.setattr(engine, "BUSY_TIMEOUT_S", 0.05)
    return make_app()


@pytest.fixture
def project(cast: Cast, make: Make) -> Project:
    return make.project_of(cast.admin)


def created(project: Project, text: str = "") -> dict[str, Any]:
    return {"event": "TODO_CREATED", "projectId": project.id, "currentValue": {"id": "1", "text": text}}


def is_unavailable(answer: Any) -> bool:
    assert (answer.status_code, answer.mimetype) == (503, "application/problem+json"), answer.text
    assert "Nothing was saved" in answer.json["detail"]
    return int(answer.headers["Retry-After"]) > 0


def test_a_locked_database_is_a_503_and_the_next_try_is_taken(
    api: Program, project: Project, database: str, count: Count
) -> None:
    api.get("/projects")  # the token's use is noted once a minute
    body = created(project)
    db.session.rollback()
    other = sqlite3.connect(Path(database.removeprefix("sqlite:///")), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert is_unavailable(api.post("/events", body, headers={"Idempotency-Key": "k"}))
    assert api.get("/projects").status_code == 200
    other.execute("ROLLBACK")
    other.close()
    assert count(Event) == 0
    assert api.post("/events", body, headers={"Idempotency-Key": "k"}).status_code == 202
    assert count(Event) == 1


def test_a_full_disk_is_a_503(api: Program, project: Project, count: Count) -> None:
    api.get("/projects")
    small, large = created(project), created(project, "x" * 200_000)
    with db.engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
    db.session.remove()
    db.engine.dispose()
    full = sa.event.listens_for(db.engine, "connect")
    full(lambda connection, _: connection.execute(f"PRAGMA max_page_count={pages + 10}"))
    assert is_unavailable(api.post("/events", large))
    assert count(Event) == 0
    assert api.post("/events", small).status_code == 202
    assert count(Event) == 1


def test_a_database_without_tables_is_a_503_and_the_process_still_lives(app: Flask, api: Program) -> None:
    Base.metadata.drop_all(db.engine)
    assert is_unavailable(api.get("/projects"))
    assert api.client.get("/healthz").status_code == 200
    assert api.client.get("/readyz").status_code == 503


def test_what_we_did_wrong_is_a_500_with_a_number_and_nothing_else(
    app: Flask, api: Program, make: Make, project: Project
) -> None:
    app.config["PROPAGATE_EXCEPTIONS"] = False
    event = make.event(project, current_value=b"no JSON: a secret")
    answer = api.get("/events/" + event.id)
    assert (answer.status_code, answer.mimetype) == (500, "application/problem+json")
    assert answer.json["requestId"] == answer.headers["X-Request-Id"]
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text


def test_an_event_is_taken_while_the_queue_is_down(api: Program, project: Project, count: Count) -> None:
    def broken() -> None:
        raise ConnectionError("no queue")

    ring, lost = bell._ring, bell.lost
    bell.bind(broken)
    try:
        assert api.post("/events", created(project)).status_code == 202
        assert "The queue could not be reached" in api.client.get("/readyz").json["notes"][0]
    finally:
        assert ring
        bell.bind(ring)
        bell.lost = lost
    assert count(Event) == 1
