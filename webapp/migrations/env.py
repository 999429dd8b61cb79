"""Alembic's entry: migrations run on the application's own engine, one process at a time."""

import sqlalchemy as sa
from alembic import context
from flask import current_app

from webapp.migrations.comparing import render_item, same_type

ADVISORY_LOCK = 727_001  # PostgreSQL: any number that is always the same


def run() -> None:
    """Run the migrations that are missing."""
    extension = current_app.extensions["migrate"]
    with extension.db.engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(sa.text("SELECT pg_advisory_lock(:key)"), {"key": ADVISORY_LOCK})
            connection.commit()
        context.configure(
            connection=connection,
            target_metadata=extension.db.metadata,
            render_item=render_item,
            **{**extension.configure_args, "compare_type": same_type},
        )
        with context.begin_transaction():
            context.run_migrations()


run()
