"""Alembic's entry: migrations run on the application's own engine, one process at a time."""

from typing import Any

import sqlalchemy as sa
from alembic import context
from flask import current_app

from webapp.models.base import EncryptedText, UtcTime

ADVISORY_LOCK = 727_001  # PostgreSQL: any number that is always the same


def render_item(kind: str, item: Any, autogen_context: Any) -> str | bool:
    """Write our column types as the plain types behind them: a migration must not change when the model does."""
    if kind == "type" and isinstance(item, UtcTime):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(item, EncryptedText):
        return "sa.Text()"
    if kind == "type" and isinstance(item, sa.Enum):
        return f"sa.String(length={item.length})"
    return False


def same_type(_context: Any, _column: Any, _metadata_column: Any, _found: Any, wanted: Any) -> bool | None:
    """A closed list of words is text in the database."""
    return False if isinstance(wanted, sa.Enum | UtcTime | EncryptedText) else None


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
