"""The events that a test published, as receivers would read them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from webapp.extensions import db
from webapp.models import Event


@pytest.fixture
def published(app: Flask) -> Callable[[], list[tuple[str, Any, Any]]]:
    """Type, previous and current value of each event so far; a value without a key is the word "absent"."""

    def value(text: bytes | None) -> Any:
        return "absent" if text is None else json.loads(text)

    def read() -> list[tuple[str, Any, Any]]:
        events = db.session.scalars(sa.select(Event).order_by(Event.seq))
        return [(event.type, value(event.previous_value), value(event.current_value)) for event in events]

    return read
