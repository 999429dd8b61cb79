"""Building and dropping indexes of tables that may be large, while everybody goes on."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext

import sqlalchemy as sa
from alembic import op

_IS_BROKEN = sa.text("SELECT 1 FROM pg_index WHERE indexrelid = to_regclass(:name) AND NOT indisvalid")


def build_index(name: str, table: str, columns: Sequence[str], *, where: str | None = None) -> None:
    """Build an index. On PostgreSQL others write meanwhile; what an attempt that was broken off left is built anew.

    SQLite keeps the write lock meanwhile: some seconds for a million rows.
    """
    condition = sa.text(where) if where else None
    context = op.get_context()
    with _beside_others():
        is_live = context.dialect.name == "postgresql" and not context.as_sql
        if is_live and op.get_bind().scalar(_IS_BROKEN, {"name": name}):
            op.drop_index(name, postgresql_concurrently=True)
        op.create_index(
            name,
            table,
            columns,
            if_not_exists=True,
            sqlite_where=condition,
            postgresql_where=condition,
            postgresql_concurrently=True,
        )


def drop_index(name: str, table: str) -> None:
    """Drop an index without keeping anybody waiting."""
    with _beside_others():
        op.drop_index(name, table, if_exists=True, postgresql_concurrently=True)


def _beside_others() -> AbstractContextManager[None]:
    """Outside of a transaction, where the database can do it while others write."""
    context = op.get_context()
    return context.autocommit_block() if context.dialect.name == "postgresql" else nullcontext()
