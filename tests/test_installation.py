"""A start that cannot succeed is refused with a sentence that says what to do."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from flask import Flask

from tests.chaos.installation import free_port
from webapp import config, installation, upgrading
from webapp.cli import commands
from webapp.config import SettingsError
from webapp.doorbell import QueueUrlError
from webapp.installation import NotReady

MakeApp = Callable[..., Flask]
postgresql_only = pytest.mark.parametrize("database", ["postgresql"], indirect=True)


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """As if a package were not installed."""
    find = importlib.util.find_spec

    def forget(package: str) -> None:
        monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == package else find(name))

    return forget


def test_a_database_whose_driver_is_not_installed_is_told(without: Callable[[str], None]) -> None:
    without("psycopg")
    with pytest.raises(SettingsError, match=r"WEBAPP_DATABASE_URL: needs .*pip install 'blue-webhooks\[postgres\]'"):
        config.load(database_url="postgresql://somewhere/hooks")


@pytest.mark.parametrize(
    ("url", "package", "extra"),
    [("redis://somewhere", "redis", "redis"), ("postgresql://somewhere/hooks", "psycopg", "postgres")],
)
def test_a_queue_whose_driver_is_not_installed_is_told(
    make_app: MakeApp, without: Callable[[str], None], url: str, package: str, extra: str
) -> None:
    without(package)
    with pytest.raises(QueueUrlError, match=rf"pip install 'blue-webhooks\[{extra}\]'"):
        make_app(queue_url=url)


@pytest.mark.parametrize("url", ["sqlite:///", "sqlite:///:memory:"])
def test_a_database_that_no_other_process_would_see_is_refused(url: str) -> None:
    with pytest.raises(SettingsError, match="WEBAPP_DATABASE_URL: needs the path of a file"):
        config.load(database_url=url)


def test_the_short_spelling_of_postgresql_is_understood() -> None:
    settings = config.load(database_url="postgres://me:pw@db/hooks", queue_url="postgres://me:pw@db/hooks")

    assert settings.database_url == "postgresql+psycopg://me:pw@db/hooks"
    assert settings.queue_url == "postgresql://me:pw@db/hooks"


@pytest.mark.parametrize("start", [installation.require_database, upgrading.bring_up_to_date])
def test_a_server_that_is_not_there_is_told_on_one_line(make_app: MakeApp, start: Callable[[Flask], None]) -> None:
    app = make_app(database_url=f"postgresql://me:hunter2@127.0.0.1:{free_port()}/hooks")
    with pytest.raises(NotReady) as refused:
        start(app)

    said = str(refused.value)
    assert "\n" not in said
    assert "hunter2" not in said
    assert said.endswith("may this account read and write it?")


@postgresql_only
def test_a_database_that_is_not_there_is_told(make_app: MakeApp, database: str) -> None:
    app = make_app(database_url=database.replace("/postgres?", "/nowhere?"))
    with pytest.raises(NotReady, match=r'"nowhere" does not exist\. Check WEBAPP_DATABASE_URL'):
        upgrading.bring_up_to_date(app)


@postgresql_only
def test_an_account_without_rights_is_told(make_app: MakeApp, database: str) -> None:
    admin = sa.create_engine(database.replace("postgresql:", "postgresql+psycopg:"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.exec_driver_sql("CREATE DATABASE locked")
        connection.exec_driver_sql("CREATE ROLE nobody LOGIN")
    try:
        url = database.replace("tests@", "nobody@").replace("/postgres?", "/locked?")
        app = make_app(database_url=url)
        with pytest.raises(NotReady, match=r"(?s)permission denied for schema public.*may this account"):
            upgrading.bring_up_to_date(app)
    finally:
        with admin.connect() as connection:
            connection.exec_driver_sql("DROP DATABASE locked WITH (FORCE)")
            connection.exec_driver_sql("DROP ROLE nobody")
        admin.dispose()


def test_a_command_without_a_database_says_how_to_make_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")
    refused = CliRunner().invoke(commands, ["seed"])

    assert isinstance(refused.exception, NotReady)
    assert "webapp db upgrade" in str(refused.exception)
