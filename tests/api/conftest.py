"""A program with a real token, and a server with real sockets."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from werkzeug.serving import make_server

from tests.conftest import Browser, Cast
from webapp.accounts import tokens
from webapp.extensions import db
from webapp.models import Base, User


class Program:
    """Somebody's program: it adds the bearer header and speaks JSON."""

    def __init__(self, client: Browser, token: str) -> None:
        self.client = client
        self.token = token

    def __call__(self, method: str, path: str, body: Any = None, **options: Any) -> Any:
        """One call below /api/v1. `body` is sent as JSON; `data` sends bytes as they are."""
        headers = {"Authorization": f"Bearer {self.token}", **options.pop("headers", {})}
        if "data" in options:
            options.setdefault("content_type", "application/json")
        elif body is not None:
            options["json"] = body
        return self.client.open("/api/v1" + path, method=method, headers=headers, **options)

    def get(self, path: str, **options: Any) -> Any:
        return self("GET", path, **options)

    def post(self, path: str, body: Any = None, **options: Any) -> Any:
        return self("POST", path, body, **options)

    def put(self, path: str, body: Any = None, **options: Any) -> Any:
        return self("PUT", path, body, **options)

    def patch(self, path: str, body: Any = None, **options: Any) -> Any:
        return self("PATCH", path, body, **options)

    def delete(self, path: str, **options: Any) -> Any:
        return self("DELETE", path, **options)


@pytest.fixture
def program(app: Flask) -> Callable[[User], Program]:
    """Make a program for this person, with a token of its own."""

    def make_program(user: User) -> Program:
        client = app.test_client()
        assert isinstance(client, Browser)
        return Program(client, tokens.create(user, "a program")[1])

    return make_program


@pytest.fixture
def api(program: Callable[[User], Program], cast: Cast) -> Program:
    """The program of `cast.admin`."""
    return program(cast.admin)


@pytest.fixture
def server(app: Flask) -> Iterator[int]:
    """The port of a server on loopback with a thread for each connection."""
    running = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=running.serve_forever, daemon=True)
    thread.start()
    yield running.server_port
    running.shutdown()
    thread.join(timeout=5)
    running.server_close()


@pytest.fixture
def count() -> Callable[[type[Base]], int]:
    """How many rows of this kind there are now, whoever wrote them."""

    def count_rows(table: type[Base]) -> int:
        db.session.rollback()
        return db.session.scalar(sa.select(sa.func.count()).select_from(table)) or 0

    return count_rows
