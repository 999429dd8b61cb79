"""What all tests share: a database per test, the application on it, a browser of forms, and a cast of three people."""

from __future__ import annotations

import contextvars
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask, has_app_context
from flask.testing import FlaskClient

from tests import postgresql
from tests.factories import Make
from tests.receiver import Receiver, wait_until
from tests.requirements import requires
from webapp import config, create_app
from webapp.accounts.sign_in import ticket
from webapp.delivery import heartbeats
from webapp.delivery.dispatching import Dispatcher
from webapp.extensions import db
from webapp.models import Base, Role, User

pytest_plugins = ["tests.chaos.report"]

BOTH_DATABASES = ("delivery", "models", "webhooks")
# Of the API what counts, pages, locks or must be unique; on SQLite alone what only parses and shows.
CALLS_ON_BOTH = ("test_deliveries", "test_events", "test_filters", "test_members", "test_replays", "test_webhooks")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """The tests of some folders run on SQLite and on PostgreSQL where they touch a database, and name none."""
    path = metafunc.definition.path
    is_meant = path.parent.name in BOTH_DATABASES or (path.parent.name == "api" and path.stem in CALLS_ON_BOTH)
    names_one = any("database" in mark.args[0] for mark in metafunc.definition.iter_markers("parametrize"))
    if is_meant and "database" in metafunc.fixturenames and not names_one:
        metafunc.parametrize("database", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture(autouse=True)
def _no_surrounding_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing of the machine's own settings reaches a test."""
    import os  # noqa: PLC0415

    for name in [name for name in os.environ if name.startswith(config.PREFIX) and "TESTS" not in name]:
        monkeypatch.delenv(name)
    monkeypatch.setitem(config.Settings.model_config, "env_file", None)
    monkeypatch.setenv("WEBAPP_INSTANCE", str(tmp_path / "instance"))
    monkeypatch.setenv("WEBAPP_QUEUE_URL", "memory://")


@pytest.fixture(scope="session")
def _sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "app.db"
    engine = sa.create_engine(f"sqlite:///{path}")
    Base.metadata.create_all(engine)
    engine.dispose()
    return path


@pytest.fixture(scope="session")
def _postgresql_url() -> Iterator[str]:
    with postgresql.server() as pattern:
        url = pattern.format(database="postgres")
        engine = sa.create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
        Base.metadata.create_all(engine)
        engine.dispose()
        yield url


@pytest.fixture
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database with all tables."""
    if getattr(request, "param", "sqlite") == "sqlite":
        path = tmp_path / "app.db"
        shutil.copy(request.getfixturevalue("_sqlite_template"), path)
        yield f"sqlite:///{path}"
        return
    url = request.getfixturevalue("_postgresql_url")
    yield url
    engine = sa.create_engine(url.replace("postgresql:", "postgresql+psycopg:"), poolclass=sa.NullPool)
    with engine.begin() as connection:
        names = ", ".join(f'"{table.name}"' for table in Base.metadata.sorted_tables)
        connection.execute(sa.text(f"TRUNCATE {names} RESTART IDENTITY CASCADE"))


@pytest.fixture
def minute_begins() -> Iterator[None]:
    """Rates are counted by the minute: a minute has just begun, and goes on as minutes do."""
    with time_machine.travel(datetime.now(UTC).replace(second=1, microsecond=0), tick=True):
        yield


class Browser(FlaskClient):
    """A client whose requests run in a context of their own, as they do in the server, and never in the test's."""

    def open(self, *args: Any, **kwargs: Any) -> Any:
        """Send one request; what the test's session had loaded is read anew afterwards."""
        answer = contextvars.Context().run(super().open, *args, **kwargs)
        if has_app_context() and db.session.registry.has():
            db.session.rollback()
        return answer

    def sign_in(self, user: User) -> Browser:
        """Be this person from now on, without the form."""
        with self.session_transaction() as session:
            session["_user_id"] = ticket(user)
            session["_fresh"] = True
        return self

    def session_transaction(self, *args: Any, **kwargs: Any) -> Any:
        """The session cookie, to read and change."""
        return super().session_transaction(*args, **kwargs)


@pytest.fixture
def make_app(database: str) -> Iterator[Callable[..., Flask]]:
    """Make the application with other settings: `make_app(request_timeout="1s")`. Its context is open in the test."""
    contexts = []

    def make(**overrides: Any) -> Flask:
        app = create_app(config.load(**{"database_url": database, **overrides}))
        app.test_client_class = Browser
        app.testing = True
        app.config["WTF_CSRF_ENABLED"] = False
        context = app.app_context()
        context.push()
        contexts.append((context, db.engine))
        return app

    yield make
    for context, engine in reversed(contexts):
        db.session.remove()
        engine.dispose()
        context.pop()


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    """The application on an empty database, its context open."""
    return make_app()


@pytest.fixture
def client(app: Flask) -> Browser:
    """A browser that is nobody yet; `client.sign_in(user)` makes it somebody."""
    browser = app.test_client()
    assert isinstance(browser, Browser)
    return browser


@pytest.fixture
def make(app: Flask) -> Make:
    """Factories of rows."""
    return Make()


@dataclass
class Cast:
    """Three people of every web test."""

    admin: User  # administrator of the project, owner of the webhook
    teammate: User  # member of the same project
    stranger: User  # another company


@pytest.fixture
def cast(make: Make) -> Cast:
    """`admin` and `teammate` work in one project, `make.project_of(admin)`; `stranger` has another."""
    admin, teammate, stranger = (
        make.user(name="Ada Admin"),
        make.user(name="Tim Teammate"),
        make.user(name="Stella Stranger"),
    )
    project = make.project(owner=admin)
    make.member(project, teammate, Role.MEMBER)
    make.project(owner=stranger)
    return Cast(admin, teammate, stranger)


__all__ = ["Browser", "Cast", "requires"]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A receiver on loopback."""
    with Receiver() as receiver:
        yield receiver


@pytest.fixture
def worker(app: Flask) -> Iterator[Dispatcher]:
    """A worker that sends, inside the test."""
    running = Dispatcher(app, threads=2)
    running.start()
    wait_until(_is_worker_alive)
    yield running
    running.stop()


def _is_worker_alive() -> bool:
    db.session.rollback()
    return heartbeats.is_any_alive()
