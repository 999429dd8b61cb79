"""Migrations are safe while the program of the release before goes on: they expand, and contract a release later."""

from __future__ import annotations

import io
import re
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import op
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import Script, ScriptDirectory
from flask import Flask
from flask_migrate import upgrade

from tests.models.test_migrations import empty
from webapp import installation
from webapp.extensions import db
from webapp.folders import folder
from webapp.migrations.indexing import build_index, drop_index

__all__ = ["empty"]

SCRIPTS: list[Script] = list(ScriptDirectory(str(folder("migrations"))).walk_revisions())[::-1]
LATER = SCRIPTS[1:]
WORD = r'"?(\w+)"?'

# What makes the program of the release before fail, or wait.
CONTRACTS = {
    rf"DROP TABLE {WORD}": "it still asks this table",
    rf"ALTER TABLE {WORD} DROP (?!CONSTRAINT)": "it still asks this column",
    rf"ALTER TABLE {WORD} RENAME": "it still knows the old name",
    rf"ALTER TABLE {WORD} ALTER COLUMN \w+ (TYPE|SET NOT NULL|DROP DEFAULT)": "it writes what was right before",
    rf"ALTER TABLE {WORD} ADD CONSTRAINT": "it writes what was right before",
    rf"ALTER TABLE {WORD} ADD COLUMN (?=.*NOT NULL)(?!.*DEFAULT)": "it does not fill this column",
    rf"CREATE UNIQUE INDEX (?:CONCURRENTLY )?(?:IF NOT EXISTS )?\w+ ON {WORD}": "it writes what was right before",
}
NEVER = {
    rf"CREATE INDEX (?!CONCURRENTLY)(?:IF NOT EXISTS )?\w+ ON {WORD}": "others wait: use indexing.build_index",
    rf"(?:UPDATE|DELETE FROM|INSERT INTO) {WORD}": "rows are filled in by the program, in batches",
}


def faults(migrate: Callable[[], object], *, may_contract: bool) -> list[str]:
    """What is wrong with a migration, by the statements that PostgreSQL would get. A table of its own is its own."""
    written = io.StringIO()
    context = MigrationContext.configure(
        dialect_name="postgresql", opts={"as_sql": True, "output_buffer": written, "target_metadata": db.metadata}
    )
    with context.begin_transaction(), Operations.context(context):
        migrate()
    statements = [" ".join(statement.split()) for statement in written.getvalue().split(";")]
    new = set(re.findall(rf"CREATE TABLE {WORD}", "\n".join(statements)))
    rules = NEVER if may_contract else {**CONTRACTS, **NEVER}
    return [
        f"{statement}: {why}"
        for statement in statements
        for pattern, why in rules.items()
        if (found := re.match(pattern, statement)) and found[1] not in new
    ]


@pytest.mark.parametrize("script", LATER, ids=lambda script: script.revision)
@pytest.mark.proves("F32")
def test_a_migration_only_expands_unless_a_later_release_contracts(script: Script) -> None:
    assert faults(script.module.upgrade, may_contract=hasattr(script.module, "oldest")) == []


def test_a_start_knows_the_migrations_as_alembic_does() -> None:
    assert installation.revisions() == [script.revision for script in SCRIPTS]


def test_releases_go_on_and_contractions_belong_to_a_later_one() -> None:
    releases = {script.revision: version(script.module.release) for script in SCRIPTS}
    assert list(releases.values()) == sorted(releases.values())
    for script in LATER:
        oldest = getattr(script.module, "oldest", None)
        assert oldest is None or releases[oldest] < releases[script.revision]


def version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split("."))


BAD: dict[str, Callable[[], object]] = {
    "asks this table": lambda: op.drop_table("notice"),
    "asks this column": lambda: op.drop_column("delivery", "reason"),
    "knows the old name": lambda: op.alter_column("delivery", "reason", new_column_name="why"),
    "the old name": lambda: op.rename_table("delivery", "parcel"),
    "was right before": lambda: op.alter_column("delivery", "reason", nullable=False),
    "right before": lambda: op.alter_column("delivery", "reason", type_=sa.String(10)),
    "was right": lambda: op.create_unique_constraint("uq_x", "webhook", ["name"]),
    "writes what was": lambda: op.create_index("ix_x", "webhook", ["name"], unique=True),
    "does not fill": lambda: op.add_column("webhook", sa.Column("x", sa.Text(), nullable=False)),
    "build_index": lambda: op.create_index("ix_x", "delivery", ["reason"]),
    "in batches": lambda: op.execute("UPDATE delivery SET reason = NULL"),
}
GOOD: dict[str, Callable[[], object]] = {
    "a table": lambda: op.create_table("x", sa.Column("y", sa.Text(), nullable=False), sa.UniqueConstraint("y")),
    "an empty column": lambda: op.add_column("webhook", sa.Column("x", sa.Text(), nullable=True)),
    "a default": lambda: op.add_column("webhook", sa.Column("x", sa.Text(), nullable=False, server_default="")),
    "an index": lambda: build_index("ix_x", "delivery", ["reason"], where="reason IS NOT NULL"),
    "no index": lambda: drop_index("ix_delivery_error", "delivery"),
}


@pytest.mark.parametrize("why", BAD)
def test_what_the_program_before_cannot_bear_is_refused(why: str) -> None:
    (fault,) = faults(BAD[why], may_contract=False)
    assert why in fault


@pytest.mark.parametrize("name", GOOD)
def test_what_only_adds_is_taken(name: str) -> None:
    assert faults(GOOD[name], may_contract=False) == []


@pytest.fixture
def stepwise(empty: str, make_app: Callable[..., Flask]) -> Iterator[Callable[[str], dict[str, Any]]]:
    """Upgrade to a revision; what the tables are like then."""
    make_app(database_url=empty)

    def to(revision: str) -> dict[str, Any]:
        upgrade(revision=revision)
        inspector = sa.inspect(db.engine)
        return {
            table: {
                "columns": {column["name"]: column for column in inspector.get_columns(table)},
                "unique": {tuple(found["column_names"]) for found in inspector.get_unique_constraints(table)},
                "foreign": {tuple(found["constrained_columns"]) for found in inspector.get_foreign_keys(table)},
                "checks": {found["sqltext"] for found in inspector.get_check_constraints(table)},
            }
            for table in inspector.get_table_names()
        }

    return to


@pytest.mark.proves("F32")
def test_every_step_leaves_the_program_before_all_that_it_uses(stepwise: Callable[[str], dict[str, Any]]) -> None:
    before = stepwise(SCRIPTS[0].revision)
    for script in LATER:
        after = stepwise(script.revision)
        if not hasattr(script.module, "oldest"):
            for table, was in before.items():
                _assert_expanded(was, after[table])
        before = after


def _assert_expanded(was: dict[str, Any], now: dict[str, Any]) -> None:
    for name, column in was["columns"].items():
        assert str(now["columns"][name]["type"]) == str(column["type"])
        assert now["columns"][name]["nullable"] or not column["nullable"]
    for name in now["columns"].keys() - was["columns"].keys():
        added = now["columns"][name]
        assert added["nullable"] or added["default"] is not None
        assert all(name not in foreign for foreign in was["foreign"])
    for kind in ("unique", "checks"):
        assert now[kind] <= was[kind]


def test_an_index_that_a_broken_off_attempt_left_is_built_anew(empty: str, make_app: Callable[..., Flask]) -> None:
    make_app(database_url=empty)
    upgrade()
    name = f"ix_{uuid.uuid4().hex[:8]}"
    with db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"transaction_per_migration": True})
        for _ in range(2):
            with context.begin_transaction(_per_migration=True), Operations.context(context):
                build_index(name, "delivery", ["reason", "seq"], where="reason IS NOT NULL")
            if connection.dialect.name == "postgresql":
                connection.execute(
                    sa.text("UPDATE pg_index SET indisvalid = FALSE WHERE indexrelid = to_regclass(:name)"),
                    {"name": name},
                )
                connection.commit()
        found = {index["name"] for index in sa.inspect(connection).get_indexes("delivery")}
    assert name in found
