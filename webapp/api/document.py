"""The OpenAPI document: every call, its shapes and its errors. Public, so that tools and people can read it first."""

from __future__ import annotations

from functools import cache
from http import HTTPStatus
from typing import Any

from flask import Blueprint, Flask, Response, current_app
from flask_smorest import Api

from webapp.api import errors
from webapp.api.authentication import forget_the_session
from webapp.api.pace import CALLS_A_MINUTE
from webapp.api.resource import PREFIX
from webapp.api.schemas.problem import EXAMPLE, Problem
from webapp.config import VERSION
from webapp.delivery import payloads

TITLE = "Blue Webhooks"
DESCRIPTION = f"""Publish events, mirror projects, set up webhooks and see every delivery.

Every call needs a token: `Authorization: Bearer pat_…` (Settings → API). Names are camelCase, moments are UTC. A body
is JSON in UTF-8; a field that a call does not know is refused. Errors are problem documents (RFC 9457) that name each
wrong field. A body may have 64 KiB, an event 256 KiB, a batch 8 MiB. One token may make
{CALLS_A_MINUTE:,} calls a minute; beyond that, and while the database is busy or full, `Retry-After` says when to
come back.
"""
TOKEN = {"type": "http", "scheme": "bearer", "description": "a personal access token, `pat_<id>_<secret>`"}

bp = Blueprint("api_document", __name__, url_prefix=PREFIX)
bp.before_request(forget_the_session)
errors.init_blueprint(bp)


class Document(Api):  # type: ignore[misc]
    """flask-smorest's collector of calls, with our way of telling errors and our own address for the document."""

    DEFAULT_ERROR_RESPONSE_NAME = "Problem"

    def _register_error_handlers(self) -> None:
        """Errors are told by `errors`; the library's way would also replace the error pages of the application."""

    def _register_responses(self) -> None:
        """Our one shape of errors in place of the library's. By status, since its decorators name 422 themselves."""
        content = {errors.MEDIA_TYPE: {"schema": Problem, "example": EXAMPLE}}
        self.spec.components.response(
            "Problem", {"description": "What is wrong, and how to mend it", "content": content}
        )
        wrong = {"description": "A field is wrong", "content": content}
        self.spec.components.response(HTTPStatus.UNPROCESSABLE_ENTITY.name, wrong, lazy=True)

    def _register_pagination_header(self) -> None:
        """Our pages end with a cursor; the library's are numbered."""


def make(app: Flask) -> Document:
    """An empty document for this application; each resource that is registered adds its calls."""
    document = Document()
    document.init_app(
        app,
        spec_kwargs={
            "title": TITLE,
            "version": VERSION,
            "openapi_version": "3.1.0",
            "info": {"description": DESCRIPTION},
            "servers": [{"url": "/"}],
            "security": [{"token": []}],
        },
    )
    document.spec.components.security_scheme("token", TOKEN)
    app.extensions["api_document"] = document
    return document


@bp.get("/openapi.json")
def show() -> Response:
    """The document."""
    return Response(_written(current_app.extensions["api_document"]), mimetype="application/json")


@cache
def _written(document: Any) -> bytes:
    return payloads.to_json(document.spec.to_dict())
