"""What a process does before anybody waits for it."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator

import pytest
from flask import Flask, Response, request

from tests.factories import Make
from webapp import warming


@pytest.fixture
def _collected_again() -> Iterator[None]:
    yield
    gc.unfreeze()


@pytest.mark.usefixtures("_collected_again")
def test_what_was_made_before_is_not_looked_through_again() -> None:
    before = gc.get_freeze_count()
    warming.settle()
    assert gc.get_freeze_count() > before + 10_000
    assert len(gc.get_objects(generation=2)) < 10_000


def test_the_first_questions_are_answered_under_the_name_of_the_installation(make_app: Callable[..., Flask]) -> None:
    app = make_app(base_url="https://hooks.example.com")
    Make().user()  # without anybody, each page leads to the first run
    answered = {}

    def note(response: Response) -> Response:
        answered[request.path] = (response.status_code, request.host)
        return response

    app.after_request(note)
    warming.warm_up(app)
    host = "hooks.example.com"
    assert answered == {"/healthz": (200, host), "/login": (200, host), "/api/v1/events": (401, host)}
