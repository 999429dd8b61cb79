"""Rates hold where Redis counts for all processes, where it is lost, and where there is none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from tests.conftest import Browser
from tests.factories import Make
from tests.ports import free_port
from webapp.accounts import tokens

TRIES = 40


def burst(send: Callable[[], Any]) -> tuple[int, int]:
    """How many were answered before the first 429, and how long that one says to wait."""
    for number in range(TRIES):
        answer = send()
        assert answer.status_code < 500
        if answer.status_code == 429:
            return number, int(answer.headers["Retry-After"])
    raise AssertionError(f"{TRIES} were taken")


@pytest.mark.proves("W34")
@pytest.mark.parametrize("queue", ["memory://", "redis://127.0.0.1:{port}/0"])
def test_limits_hold_without_redis(make_app: Callable[..., Flask], queue: str, minute_begins: None) -> None:
    app = make_app(queue_url=queue.format(port=free_port()))
    make, client = Make(), app.test_client()
    assert isinstance(client, Browser)
    ada = make.user(email="ada@example.com")
    make.project(owner=ada)
    webhook, program = make.webhook(by=ada), tokens.create(ada, "a program")[1]
    bearer = {"Authorization": f"Bearer {program}"}

    wrong = {"email": "ada@example.com", "password": "wrong"}
    assert burst(lambda: client.post("/login", data=wrong)) == (10, pytest.approx(900, abs=60))
    client.sign_in(ada)
    pings, wait_s = burst(lambda: client.post(f"/api/v1/webhooks/{webhook.id}/pings", headers=bearer))
    assert (pings, wait_s <= 61) == (10, True)
    checks, wait_s = burst(lambda: client.post("/settings/webhooks/url-checks", data={"url": "https://10.0.0.1/"}))
    assert (checks, wait_s <= 61) == (30, True)
