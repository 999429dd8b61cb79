"""Migrations: they make exactly the tables of the models, on both databases."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from flask import Flask

from webapp import installation, upgrading
from webapp.extensions import db
from webapp.migrations.comparing import same_type


@pytest.fixture
def empty(database: str, tmp_path: Path) -> Iterator[str]:
    """The URL of a database without any table."""
    if database.startswith("sqlite"):
        yield f"sqlite:///{tmp_path}/empty.db"
        return
    name = f"empty_{uuid.uuid4().hex}"
    server = sa.create_engine(
        database.replace("postgresql:", "postgresql+psycopg:"), isolation_level="AUTOCOMMIT", poolclass=sa.NullPool
    )
    with server.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
    yield database.replace("/postgres?", f"/{name}?")
    with server.connect() as connection:
        connection.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))


def test_the_migrations_make_exactly_the_tables_of_the_models(make_app: Callable[..., Flask], empty: str) -> None:
    app = make_app(database_url=empty)
    upgrading.bring_up_to_date(app)
    installation.require_database(app)
    with db.engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": same_type, "target_metadata": db.metadata}
        )
        assert compare_metadata(context, db.metadata) == []


def test_bringing_it_up_to_date_twice_changes_nothing(make_app: Callable[..., Flask], empty: str) -> None:
    app = make_app(database_url=empty)
    upgrading.bring_up_to_date(app)
    upgrading.bring_up_to_date(app)
    installation.require_database(app)


def test_a_start_without_a_database_is_refused_in_words(make_app: Callable[..., Flask], empty: str) -> None:
    with pytest.raises(installation.NotReady, match="webapp db upgrade"):
        installation.require_database(make_app(database_url=empty))
