"""Error pages: what went wrong, in words, and a way back. REST paths get the same as a problem document."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from http import HTTPStatus
from typing import cast
from urllib.parse import urlencode

from flask import Flask, Response, g, make_response, redirect, render_template, request
from flask_babel import gettext
from flask_babel import lazy_gettext as _l
from flask_babel.speaklater import LazyString
from flask_limiter import RateLimitExceeded
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

from webapp.models.errors import Conflict, Forbidden, Invalid, NotFound, RequestError, TooMany
from webapp.request_extensions import htmx, limiter, login
from webapp.web import headers
from webapp.web.redirects import here

log = logging.getLogger(__name__)

REST = "/api/"
WITHOUT_COOKIES = ("/static/", "/inbox/", *headers.FOR_MACHINES)  # a page of the frame would start a session
SIGN_IN = "/login"
DATABASE_RETRY_S = 5


@dataclass(frozen=True)
class Page:
    """What an error page says: its heading and a sentence."""

    title: LazyString
    sentence: LazyString


SESSION_ENDED = Page(
    _l("Your session ended"), _l("Go back and reload the page; what you typed is kept. Then send it again.")
)
PAGES = {
    400: Page(_l("That request was not understood"), _l("Go back and try again.")),
    403: Page(_l("You may not do that"), _l("Ask an administrator of the project.")),
    404: Page(_l("Nothing here"), _l("It was deleted, never existed, or belongs to somebody else.")),
    405: Page(_l("That does not work here"), _l("Go back and use the buttons of the page.")),
    409: Page(_l("Not possible right now"), _l("Things have changed in the meantime. Go back and reload the page.")),
    413: Page(_l("That is too large"), _l("Send less at once. Nothing was saved.")),
    422: Page(_l("Something is not right yet"), _l("Go back and correct it. Nothing was saved.")),
    429: Page(_l("Too many tries"), _l("Wait a little, then try again.")),
    500: Page(
        _l("Something broke"), _l("That is our fault, and it is in the log. If you ask for help, give this number:")
    ),
    503: Page(
        _l("Back in a moment"), _l("The database is busy, full, or being brought up to date. Nothing was saved.")
    ),
}
STATUS_OF: dict[type[RequestError], int] = {NotFound: 404, Forbidden: 403, Conflict: 409, Invalid: 422, TooMany: 429}


def init_app(app: Flask) -> None:
    """Register one way out for each kind of error. A blueprint's own handlers go first."""
    app.register_error_handler(HTTPException, _show_http)
    app.register_error_handler(RequestError, _show_own)
    app.register_error_handler(OperationalError, _show_database)
    app.register_error_handler(PoolTimeout, _show_database)
    login.unauthorized_handler(ask_to_sign_in)


def ask_to_sign_in() -> AnyResponse:
    """Send a signed-out person to the sign-in page and afterwards back to here. htmx gets HX-Redirect, REST a 401."""
    if request.path.startswith(REST):
        return _problem(401, "Send a token as `Authorization: Bearer …`.")
    address = f"{SIGN_IN}?{urlencode({'next': here()}, safe='/')}"
    if htmx:
        return Response(status=401, headers={"HX-Redirect": address})
    return redirect(address, code=303)


def said(error: RequestError) -> str:
    """The sentence of a named error, in the person's language."""
    return str(gettext(error.template, **error.values))


def _show_http(error: HTTPException) -> AnyResponse:
    if error.response is not None:
        return cast(AnyResponse, error.response)
    if error.code == 401:
        return ask_to_sign_in()
    page = SESSION_ENDED if isinstance(error, CSRFError) else PAGES.get(error.code or 500, PAGES[400])
    has_own_words = isinstance(error, headers.WrongHost | headers.ForeignOrigin)
    wait_s = _wait_s(error)
    told = gettext("Try again in %(seconds)s s.", seconds=wait_s) if wait_s else None
    response = _show(error.code or 500, page, error.description if has_own_words else told)
    if wait_s:
        response.headers["Retry-After"] = str(wait_s)
    for name, value in error.get_headers():
        if name in {"Allow", "Retry-After"}:
            response.headers[name] = value
    return response


def _wait_s(error: HTTPException) -> int | None:
    """When to come back, of a request that went past a rate."""
    limit = limiter.current_limit if isinstance(error, RateLimitExceeded) else None
    return max(1, limit.reset_at - int(time.time())) if limit else None


def _show_own(error: RequestError) -> AnyResponse:
    status = next((code for kind, code in STATUS_OF.items() if isinstance(error, kind)), 400)
    # "Not there" and "not yours" must look the same, whatever sentence came along.
    response = _show(status, PAGES[status], None if status == 404 else said(error))
    if isinstance(error, TooMany):
        response.headers["Retry-After"] = str(error.retry_after_s)
    return response


def _show_database(error: Exception) -> AnyResponse:
    log.error("the database cannot be used: %s", error.__class__.__name__, exc_info=error)
    response = _show(503, PAGES[503], None)
    response.headers["Retry-After"] = str(DATABASE_RETRY_S)
    return response


def _show(status: int, page: Page, sentence: str | None) -> Response:
    if status >= 500:
        # What broke may be the database: do not ask it who is signed in.
        g._login_user = login.anonymous_user()
    if request.path.startswith(REST):
        return _problem(status, sentence or str(page.sentence))
    if request.path.startswith(WITHOUT_COOKIES):
        return Response(f"{HTTPStatus(status).phrase}\n", status=status, mimetype="text/plain")
    html = render_template(
        "errors/_error.html" if htmx and not htmx.boosted else "errors/error.html",
        status=status,
        page=page,
        sentence=sentence or page.sentence,
        request_id=g.get("request_id", "") if status == 500 else "",
    )
    return make_response(html, status)


def _problem(status: int, sentence: str) -> Response:
    values = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": sentence,
        "requestId": g.get("request_id", ""),
    }
    response = make_response(values, status)
    response.mimetype = "application/problem+json"
    return response
