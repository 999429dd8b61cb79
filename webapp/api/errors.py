"""Problem documents: what went wrong, where, and how to mend it, as `application/problem+json` (RFC 9457)."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus

from flask import Blueprint, Response, g, json
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from webapp.models.errors import Conflict, Forbidden, Invalid, NotFound, RequestError, TooMany

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
DATABASE_RETRY_S = 5
SENTENCES = {
    404: "There is nothing at this address. GET /api/v1/openapi.json lists all calls.",
    405: "This address does not take that method. The header Allow names those it takes.",
    500: "Something broke. That is our fault, and it is in the log under this requestId.",
    503: "The database is busy, full, or being brought up to date. Nothing was saved. Try again in a moment.",
}
# What the rules call a field that is no field of the body.
HEADERS = {"idempotency_key": "Idempotency-Key"}


class Malformed(RequestError):
    """The request cannot be read at all."""


class Unauthorized(RequestError):
    """No token, or none that is valid."""


class TooLarge(RequestError):
    """The body is larger than this call takes."""


class WrongMediaType(RequestError):
    """The body is not JSON by its own account."""


class WrongFields(RequestError):
    """The body or the query does not have the shape that the call takes. `wrong` has paths in the caller's words."""

    def __init__(self, wrong: Sequence[FieldError]) -> None:
        super().__init__()
        self.wrong = wrong


@dataclass(frozen=True)
class FieldError:
    """One wrong field: its path in camelCase, and the sentence that says what and how to mend it."""

    field: str
    detail: str


STATUS_OF: Mapping[type[RequestError], int] = {
    Malformed: 400,
    Unauthorized: 401,
    Forbidden: 403,
    NotFound: 404,
    Conflict: 409,
    TooLarge: 413,
    WrongMediaType: 415,
    Invalid: 422,
    WrongFields: 422,
    TooMany: 429,
}


def init_blueprint(blueprint: Blueprint) -> None:
    """Give a blueprint its ways out. They go before those of the pages, which serve the same application."""
    blueprint.register_error_handler(RequestError, _own)
    blueprint.register_error_handler(HTTPException, from_http)
    blueprint.register_error_handler(OperationalError, _database)
    blueprint.register_error_handler(PoolTimeout, _database)


def camel(name: str) -> str:
    """A path of the rules as callers spell it: ``events.3.project_id`` is ``events.3.projectId``."""
    return re.sub(r"_([a-z0-9])", lambda match: match[1].upper(), name)


def from_http(error: HTTPException) -> Response:
    """The problem document of an HTTP error that Flask or one of its extensions raised."""
    status = error.code or 500
    response = problem(status, SENTENCES.get(status) or error.description or "")
    for name, value in error.get_headers():
        if name in {"Allow", "Retry-After"}:
            response.headers[name] = value
    if isinstance(error, RequestEntityTooLarge):
        response.headers["Connection"] = "close"
    return response


def problem(status: int, detail: str, wrong: Sequence[FieldError] = ()) -> Response:
    """A problem document."""
    values: dict[str, object] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
    }
    if wrong:
        values["errors"] = [{"field": each.field, "detail": each.detail} for each in wrong]
    values["requestId"] = g.get("request_id", "")
    return Response(json.dumps(values), status=status, mimetype=MEDIA_TYPE)


def _own(error: RequestError) -> Response:
    status = next(code for kind, code in STATUS_OF.items() if isinstance(error, kind))
    wrong = _wrong_fields(error)
    response = problem(status, _detail(wrong) if wrong else error.sentence, wrong)
    if isinstance(error, TooMany):
        response.headers["Retry-After"] = str(error.retry_after_s)
    if isinstance(error, Unauthorized):
        response.headers["WWW-Authenticate"] = 'Bearer realm="api"'
    if isinstance(error, TooLarge):
        response.headers["Connection"] = "close"
    return response


def _wrong_fields(error: RequestError) -> Sequence[FieldError]:
    if isinstance(error, WrongFields):
        return error.wrong
    if isinstance(error, Invalid):
        return [
            FieldError(HEADERS.get(field) or camel(field), single.sentence) for field, single in error.fields.items()
        ]
    return ()


def _detail(wrong: Sequence[FieldError]) -> str:
    if len(wrong) == 1:
        return f"{wrong[0].field}: {wrong[0].detail}" if wrong[0].field else wrong[0].detail
    return f"{len(wrong)} fields are wrong: {', '.join(each.field for each in wrong)}. Nothing was saved."


def _database(error: Exception) -> Response:
    log.error("the database cannot be used: %s", error.__class__.__name__, exc_info=error)
    response = problem(503, SENTENCES[503])
    response.headers["Retry-After"] = str(DATABASE_RETRY_S)
    return response
