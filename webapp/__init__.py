"""Blue Webhooks: every change in a project becomes a signed JSON POST to the webhooks that want it."""

from __future__ import annotations

from typing import Any

from flask import Flask
from flask.typing import ResponseReturnValue

from webapp import config, logs, tasks
from webapp.config import Settings, SettingsError
from webapp.delivery.addresses import Policy, PolicyError
from webapp.extensions import babel, bell, db, huey, import_bell
from webapp.folders import folder
from webapp.key_ring import KeyRing
from webapp.models import engine
from webapp.models.conflicts import repeated


class Application(Flask):
    """A Flask that does a request again whose transaction PostgreSQL ended in favour of another one."""

    def dispatch_request(self) -> ResponseReturnValue:
        """The answer of the view."""
        return repeated(super().dispatch_request)()


def create_app(settings: Settings | None = None, **overrides: Any) -> Flask:
    """The application: settings, extensions, blueprints, and the bell. Raises SettingsError when a setting is wrong.

    Folders of templates and static files are taken from the package, and in a checkout from beside it.
    """
    app = _made(settings or config.load(**overrides))
    from webapp import serving  # noqa: PLC0415 - pages, the API and what they need: a worker holds none of it in memory

    serving.init_app(app)
    return app


def create_worker(settings: Settings) -> Flask:
    """The application of a process that serves nobody: the database, the queue, the tasks, and what mails are made of.

    Raises SettingsError as create_app() does.
    """
    app = _made(settings)
    babel.init_app(app)  # each mail says whose language it speaks
    return app


def _made(settings: Settings) -> Flask:
    """What every process has."""
    _require_usable_targets(settings)
    logs.configure(settings)
    app = Application(
        __name__,
        instance_path=str(settings.instance),
        template_folder=str(folder("templates")),
        static_folder=str(folder("static")),
    )
    app.extensions["settings"] = settings
    app.extensions["keyring"] = KeyRing.of(settings)
    app.config.update(
        SECRET_KEY=settings.secret_key.get_secret_value(),
        SQLALCHEMY_DATABASE_URI=settings.database_url,
        SQLALCHEMY_ENGINE_OPTIONS=engine.options(settings),
        TEMPLATES_AUTO_RELOAD=False,
    )
    db.init_app(app)
    with app.app_context():
        engine.prepare(db.engine)
    huey.init_app(app, settings.queue_url)
    bell.bind(tasks.deliver_due)
    import_bell.bind(tasks.import_records)
    return app


def _require_usable_targets(settings: Settings) -> None:
    try:
        Policy.from_values(settings.allow_http, settings.allow_targets, settings.allow_cidrs, settings.base_url or None)
    except PolicyError as error:
        raise SettingsError(f"{config.PREFIX}{error}") from None
