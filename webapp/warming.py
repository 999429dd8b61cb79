"""What a process does before anybody waits for it, so that the first ones wait no longer than those that follow."""

from __future__ import annotations

import gc

from flask import Flask

FIRST_QUESTIONS = (("GET", "/healthz"), ("GET", "/login"), ("POST", "/api/v1/events"))  # without a token or a session


def warm_up(app: Flask) -> None:
    """Ask what is asked first, which compiles templates and statements. Nothing is changed, and no answer matters."""
    base_url = app.extensions["settings"].base_url or None
    for method, path in FIRST_QUESTIONS:
        app.test_client(use_cookies=False).open(path, method=method, base_url=base_url).close()


def settle() -> None:
    """Take all that was made so far out of Python's garbage collection: it stays until the process ends.

    Looking through it would stop everything for 130 ms (measured), again and again, in the middle of a request.
    """
    gc.collect()
    gc.freeze()
