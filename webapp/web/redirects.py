"""Where a person is sent after a form: only ever a path of this installation."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import request


def local_path(target: str | None, otherwise: str = "/") -> str:
    """The target if it is a path on this host, else the other one: no scheme, host, `//`, `\\` or control character."""
    if not target or not target.startswith("/") or target.startswith("//"):
        return otherwise
    if "\\" in target or any(ord(character) < 33 or ord(character) == 127 for character in target):
        return otherwise
    return target


def next_path(otherwise: str = "/") -> str:
    """Where the form or the query (`next`) wants to go on, if that is a path of ours."""
    return local_path(request.values.get("next"), otherwise)


def here() -> str:
    """The page that the person looks at: for a request of htmx that is the page round it."""
    shown = request.headers.get("HX-Current-URL")
    if shown is None and request.method == "GET":
        return request.full_path.rstrip("?")
    # A form that came back with errors stands on the page that it was sent from.
    parts = urlsplit(shown or request.referrer or "")
    return local_path(parts.path + (f"?{parts.query}" if parts.query else ""))
