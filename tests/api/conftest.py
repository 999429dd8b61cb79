"""A program with a real token."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from tests.conftest import Browser, Cast
from webapp.accounts import tokens
from webapp.models import User


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
