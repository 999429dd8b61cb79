"""How the embedded database is opened."""

from __future__ import annotations

from flask import Flask

from webapp import config
from webapp.extensions import db
from webapp.models import engine


def test_sqlite_opens_with_the_laws_of_the_house(app: Flask) -> None:
    with db.engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == 10_000


def test_what_the_operators_url_says_stands_beside_the_limits_of_the_house() -> None:
    settings = config.load(database_url="postgresql://app@db/hooks?options=-csearch_path%3Dhooks")
    said = engine.options(settings)["connect_args"]["options"]
    assert said.split() == ["-c", "statement_timeout=10000", "-c", "timezone=UTC", "-csearch_path=hooks"]
