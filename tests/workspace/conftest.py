"""The events that a test published, as receivers would read them, and the statements it took to answer a question."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from tests.schemas import check_bodies
from tests.shapes import check_shape
from webapp.extensions import db
from webapp.models import Event


@pytest.fixture
def published(app: Flask) -> Callable[[], list[tuple[str, Any, Any]]]:
    """Type, previous and current value of each event so far, in Blue's shape; without a key: "absent"."""

    def value(code: str, text: bytes | None) -> Any:
        if text is None:
            return "absent"
        read_value = json.loads(text)
        if read_value is not None:
            check_shape(code, read_value)
        return read_value

    def read() -> list[tuple[str, Any, Any]]:
        events = list(db.session.scalars(sa.select(Event).order_by(Event.seq)))
        for event in events:
            check_bodies(event)
        return [
            (event.type, value(event.type, event.previous_value), value(event.type, event.current_value))
            for event in events
        ]

    return read


@pytest.fixture
def event_records(app: Flask) -> Callable[[], list[str | None]]:
    """The record that each event so far is about."""
    return lambda: list(db.session.scalars(sa.select(Event.record_id).order_by(Event.seq)))


@pytest.fixture
def statements(app: Flask) -> Callable[[], Any]:
    """`with statements() as asked:` collects what the database is asked meanwhile, when nothing is loaded yet."""

    @contextmanager
    def collect() -> Iterator[list[str]]:
        asked: list[str] = []

        def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
            if statement.startswith("SELECT"):
                asked.append(statement)

        db.session.commit()
        sa.event.listen(db.engine, "before_cursor_execute", note)
        try:
            yield asked
        finally:
            sa.event.remove(db.engine, "before_cursor_execute", note)

    return collect
