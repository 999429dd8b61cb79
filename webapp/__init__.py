"""Blue Webhooks: every change in a project becomes a signed JSON POST to the webhooks that want it."""

from __future__ import annotations

from typing import Any

from flask import Flask
from flask.typing import ResponseReturnValue
from werkzeug.middleware.proxy_fix import ProxyFix

from webapp import api, config, logs, seeds, tasks, web
from webapp.config import Settings, SettingsError
from webapp.delivery.addresses import Policy, PolicyError
from webapp.doorbell import redis_options
from webapp.extensions import babel, bell, csrf, db, htmx, huey, import_bell, limiter, login, migrate
from webapp.key_ring import KeyRing
from webapp.models import engine
from webapp.models.conflicts import repeated

SESSION_IDLE_HOURS = 12
MAX_FORM_BYTES = 64 * 1024
MAX_FORM_PARTS = 1000
COUNTING_LIMIT_S = 0.25  # what Redis may hold a request up for, until this process counts by itself


class Application(Flask):
    """A Flask that does a request again whose transaction PostgreSQL ended in favour of another one."""

    def dispatch_request(self) -> ResponseReturnValue:
        """The answer of the view."""
        return repeated(super().dispatch_request)()


def create_app(settings: Settings | None = None, **overrides: Any) -> Flask:
    """The application: settings, extensions, blueprints, and the bell. Raises SettingsError when a setting is wrong.

    Folders of templates and static files are taken from the package, and in a checkout from beside it.
    """
    settings = settings or config.load(**overrides)
    _require_usable_targets(settings)
    logs.configure(settings)
    app = Application(
        __name__,
        instance_path=str(settings.instance),
        template_folder=str(web.folder("templates")),
        static_folder=str(web.folder("static")),
    )
    app.extensions["settings"] = settings
    app.extensions["demo"] = seeds.fill_for  # web/ sees nothing that stands above it
    app.extensions["keyring"] = KeyRing.of(settings)
    _configure(app, settings)
    if settings.trusted_proxies:
        count = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=count, x_proto=count, x_host=0)  # type: ignore[method-assign]
    _bind_extensions(app, settings)
    web.init_app(app)
    api.init_app(app)
    return app


def _require_usable_targets(settings: Settings) -> None:
    try:
        Policy.from_values(settings.allow_http, settings.allow_targets, settings.allow_cidrs, settings.base_url or None)
    except PolicyError as error:
        raise SettingsError(f"{config.PREFIX}{error}") from None


def _configure(app: Flask, settings: Settings) -> None:
    is_encrypted = settings.base_url.startswith("https:")
    counts_in_redis = settings.queue_url.startswith("redis")
    app.config.update(
        SECRET_KEY=settings.secret_key.get_secret_value(),
        SQLALCHEMY_DATABASE_URI=settings.database_url,
        SQLALCHEMY_ENGINE_OPTIONS=engine.options(settings),
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
        TEMPLATES_AUTO_RELOAD=False,
    )


def _bind_extensions(app: Flask, settings: Settings) -> None:
    db.init_app(app)
    with app.app_context():
        engine.prepare(db.engine)
    migrate.init_app(app, db, directory=str(web.folder("migrations")), render_as_batch=True, compare_type=True)
    csrf.init_app(app)
    login.init_app(app)
    htmx.init_app(app)
    babel.init_app(app, locale_selector=web.locale, timezone_selector=web.time_zone)
    huey.init_app(app, settings.queue_url)  # before the limiter, as it says what is wrong with the queue's URL
    if app.config["RATELIMIT_IN_MEMORY_FALLBACK_ENABLED"]:
        app.config["RATELIMIT_STORAGE_OPTIONS"] = redis_options(COUNTING_LIMIT_S)
    limiter.init_app(app)
    bell.bind(tasks.deliver_due)
    import_bell.bind(tasks.import_records)
