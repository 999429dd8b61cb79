"""Addresses with a token in them: shown once to who made them, and limited in rate where they are opened."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import request, url_for

from webapp import config
from webapp.request_extensions import limiter
from webapp.web import compression

RATE = "60 per minute"  # links opened from one network address

limited: Callable[[Any], Any] = limiter.shared_limit(RATE, scope="links")


def absolute(endpoint: str, **values: Any) -> str:
    """The whole address of a page, by the installation's own name where that is known. It is shown as it is."""
    compression.forbid()
    base = config.current().base_url or request.host_url.rstrip("/")
    return base + url_for(endpoint, **values)
