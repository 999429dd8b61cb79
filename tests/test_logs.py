"""The log: each entry is one line of known fields, with the ids that people ask about, and nobody's secrets."""

from __future__ import annotations

import ast
import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from tests.conftest import Browser, Cast
from tests.factories import SECRET, Make
from webapp import logs
from webapp.extensions import db
from webapp.server import Lines

SOURCES = Path(logs.__file__).parent


class Lined:
    """What was logged so far, as lines."""

    def __init__(self, handler: logging.StreamHandler[io.StringIO]) -> None:
        self._handler = handler

    @property
    def text(self) -> str:
        return self._handler.stream.getvalue()

    @property
    def entries(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text.splitlines()]


def listen(monkeypatch: pytest.MonkeyPatch, *, is_console: bool) -> Lined:
    handler = logging.StreamHandler(io.StringIO())
    handler.setFormatter(logs.formatter(is_console=is_console))
    monkeypatch.setattr(logging.getLogger("webapp"), "handlers", [handler])
    return Lined(handler)


@pytest.fixture
def told(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Lined:
    return listen(monkeypatch, is_console=False)


@pytest.fixture
def shown(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Lined:
    return listen(monkeypatch, is_console=True)


def raising(app: Flask) -> None:
    """Let every page fail that asks who somebody is, with a value that nobody may see."""

    def fail() -> None:
        db.session.execute(sa.text("SELECT nothing FROM nowhere WHERE secret = :secret"), {"secret": SECRET})

    app.before_request_funcs[None].append(fail)


@pytest.fixture
def failing(app: Flask) -> Iterator[None]:
    app.testing = False
    app.config["PROPAGATE_EXCEPTIONS"] = False
    raising(app)
    return


@pytest.mark.proves("W31")
def test_the_number_of_an_error_page_leads_to_its_line(failing: None, client: Browser, cast: Cast, told: Lined) -> None:
    answer = client.sign_in(cast.admin).get("/projects?token=a-secret-in-a-query")

    (entry,) = told.entries
    assert answer.status_code == 503
    assert entry["request_id"] == answer.headers["X-Request-Id"]
    assert entry["level"] == "error"
    assert "nowhere" in entry["exception"]
    assert set(entry) <= logs.FIELDS
    for secret in (SECRET, "a-secret-in-a-query"):
        assert secret not in told.text


def test_the_number_of_a_problem_document_leads_to_its_line(failing: None, client: Browser, told: Lined) -> None:
    answer = client.get("/api/v1/projects")

    assert told.entries[0]["request_id"] == answer.json["requestId"] == answer.headers["X-Request-Id"]


def test_two_requests_have_two_numbers(client: Browser) -> None:
    assert client.get("/healthz").headers["X-Request-Id"] != client.get("/healthz").headers["X-Request-Id"]


@pytest.mark.proves("W06", "W31")
@pytest.mark.parametrize("kind", ["told", "shown"])
@pytest.mark.proves("W31")
def test_text_of_people_makes_no_line_of_its_own(kind: str, request: pytest.FixtureRequest) -> None:
    lined: Lined = request.getfixturevalue(kind)
    logging.getLogger("webapp.doorbell").warning("dropped: %s", "a\r\n2026-01-01 forged\x1b[31m\u2028line")

    assert len(lined.text.splitlines()) == 1
    assert "forged" in lined.text
    assert "\x1b[31mline" not in lined.text


@pytest.mark.proves("W31")
def test_a_field_that_is_not_in_the_list_is_left_out(told: Lined) -> None:
    logging.getLogger("webapp").warning("said", extra={"delivery": "dlv_1", "body": "a body", "secret": "hunter2"})

    (entry,) = told.entries
    assert entry["delivery"] == "dlv_1"
    assert set(entry) == {"event", "level", "logger", "timestamp", "delivery"}


def test_every_field_that_the_code_logs_is_in_the_list() -> None:
    named = set()
    for path in SOURCES.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.keyword) and node.arg == "extra" and isinstance(node.value, ast.Dict):
                named |= {key.value for key in node.value.keys if isinstance(key, ast.Constant)}

    assert named
    assert named <= logs.FIELDS


def test_an_attempt_that_ended_without_an_outcome_is_told_with_its_ids(
    make: Make, worker: Any, told: Lined, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.receiver import wait_until  # noqa: PLC0415
    from webapp.delivery import attempting  # noqa: PLC0415

    def fail(*_: Any) -> None:
        raise RuntimeError("out of ink")

    monkeypatch.setattr(attempting, "attempt", fail)
    delivery = make.delivery()
    worker.wake()
    wait_until(lambda: told.entries)

    entry = told.entries[0]
    assert entry["delivery"] == delivery.id
    assert entry["webhook"] == delivery.webhook_id
    assert entry["attempt"].startswith("att_")
    assert "out of ink" in entry["exception"]


def test_gunicorn_names_no_query(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    from gunicorn.config import Config  # noqa: PLC0415

    handler = logging.StreamHandler(io.StringIO())
    handler.setFormatter(logs.formatter(is_console=False))
    monkeypatch.setattr(logging.getLogger(), "handlers", [handler])
    Lines(Config()).exception("Error handling request %s", "/login?password=hunter2")

    (entry,) = Lined(handler).entries
    assert entry["event"] == "Error handling request /login"
    assert "hunter2" not in Lined(handler).text
