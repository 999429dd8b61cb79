"""What makes an application serve people and programs: the extensions of requests, the pages, the REST API."""

from __future__ import annotations

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from webapp import api, seeds, upgrading, web
from webapp.config import Settings
from webapp.doorbell import redis_options
from webapp.extensions import babel
from webapp.request_extensions import csrf, htmx, limiter, login

SESSION_IDLE_HOURS = 12
MAX_FORM_BYTES = 64 * 1024
MAX_FORM_PARTS = 1000
COUNTING_LIMIT_S = 0.25  # what Redis may hold a request up for, until this process counts by itself


def init_app(app: Flask) -> None:
    """Bind all of it. The database and the queue are bound already: a queue whose URL is wrong is told by huey."""
    settings: Settings = app.extensions["settings"]
    app.extensions["demo"] = seeds.fill_for  # web/ sees nothing that stands above it
    _configure(app, settings)
    if settings.trusted_proxies:
        count = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=count, x_proto=count, x_host=0)  # type: ignore[method-assign]
    _bind_extensions(app)
    web.init_app(app)
    api.init_app(app)


def _configure(app: Flask, settings: Settings) -> None:
    is_encrypted = settings.base_url.startswith("https:")
    counts_in_redis = settings.queue_url.startswith("redis")
    app.config.update(
        SESSION_COOKIE_NAME="__Host-session" if is_encrypted else "session",
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=is_encrypted,
        PERMANENT_SESSION_LIFETIME=SESSION_IDLE_HOURS * 3600,
        REMEMBER_COOKIE_NAME="__Host-remember" if is_encrypted else "remember",
        REMEMBER_COOKIE_SAMESITE="Lax",
        REMEMBER_COOKIE_SECURE=is_encrypted,
        REMEMBER_COOKIE_HTTPONLY=True,
        REMEMBER_COOKIE_DURATION=14 * 86400,
        WTF_CSRF_TIME_LIMIT=None,
        MAX_CONTENT_LENGTH=MAX_FORM_BYTES,
        MAX_FORM_PARTS=MAX_FORM_PARTS,
        RATELIMIT_STORAGE_URI=settings.queue_url if counts_in_redis else "memory://",
        RATELIMIT_SWALLOW_ERRORS=True,
        RATELIMIT_IN_MEMORY_FALLBACK_ENABLED=counts_in_redis,
    )
    if counts_in_redis:
        app.config["RATELIMIT_STORAGE_OPTIONS"] = redis_options(COUNTING_LIMIT_S)


def _bind_extensions(app: Flask) -> None:
    upgrading.init_app(app)
    csrf.init_app(app)
    login.init_app(app)
    htmx.init_app(app)
    babel.init_app(app, locale_selector=web.locale, timezone_selector=web.time_zone)
    limiter.init_app(app)
