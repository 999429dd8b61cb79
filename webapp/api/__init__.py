"""REST under /api/v1: bearer tokens, JSON in camelCase, problem documents. May import everything below, never `web`."""

from __future__ import annotations

from flask import Flask


def init_app(app: Flask) -> None:
    """Bind the REST blueprints."""
