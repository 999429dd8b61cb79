"""Headers on every answer, errors included, and what is refused before a view sees it: foreign hosts and origins.

The policy allows no inline script and no inline style, so that a payload shown by mistake as HTML stays harmless.
"""

from __future__ import annotations

import ipaddress
import secrets
from urllib.parse import urlsplit

import structlog
from flask import Flask, Response, g, request
from flask_babel import gettext as _
from werkzeug.exceptions import BadRequest

from webapp import config

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",  # data: are the small icons inside Bootstrap's style sheet
        "connect-src 'self'",
        "font-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)
FILE_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
}
PAGE_HEADERS = FILE_HEADERS | {
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
HSTS = "max-age=31536000"
UNSAFE_METHODS = frozenset({"POST", "PUT", "PATCH", "DELETE"})

# Called by programs: by any name of this machine, and from anywhere without a browser's cookie.
FOR_MACHINES = ("/healthz", "/readyz", "/metrics")
NOT_BY_COOKIE = ("/api/", "/inbox/")
REQUEST_ID_BYTES = 8


class WrongHost(BadRequest):
    """The request names a host that this installation does not answer for."""


class ForeignOrigin(BadRequest):
    """A page of another site sent this form."""


def init_app(app: Flask) -> None:
    """Put the checks before and the headers after every request."""
    # Before the checks of the extensions, so that their refusals carry a request id too.
    first = app.before_request_funcs.setdefault(None, [])
    first[:0] = [_name_the_request, _refuse_foreign_hosts, _refuse_foreign_origins]
    app.after_request(_add_headers)


def _name_the_request() -> None:
    g.request_id = secrets.token_hex(REQUEST_ID_BYTES)
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=g.request_id)


def _refuse_foreign_hosts() -> None:
    if request.path in FOR_MACHINES:
        return
    own = urlsplit(config.current().base_url).hostname or "localhost"
    host = urlsplit(f"//{request.host}").hostname or ""
    # An address cannot be pointed elsewhere as a name can, so an installation that knows no name of its own takes any.
    if host != own and not (is_loopback(own) and (is_loopback(host) or _is_address(host))):
        raise WrongHost(_("This installation does not answer for that host name. Its operator sets WEBAPP_BASE_URL."))


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def is_loopback(host: str) -> bool:
    """Whether a host name is one of this machine's own for itself."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _refuse_foreign_origins() -> None:
    """Beside the CSRF token: a browser says where a form comes from. Programs send no Origin and need the token."""
    if request.method not in UNSAFE_METHODS or request.path.startswith(NOT_BY_COOKIE):
        return
    source = request.headers.get("Origin") or request.headers.get("Referer")
    own = {request.host, urlsplit(config.current().base_url).netloc} - {""}
    if source is not None and urlsplit(source).netloc not in own:
        raise ForeignOrigin(_("This form was sent from another site."))


def _add_headers(response: Response) -> Response:
    for name, value in PAGE_HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers.setdefault("Cache-Control", "no-store")
    response.vary.update(("Cookie", "HX-Request", "Accept-Language"))
    if request.is_secure or config.current().base_url.startswith("https:"):
        response.headers.setdefault("Strict-Transport-Security", HSTS)
    response.headers["X-Request-Id"] = g.get("request_id", "")
    return response
