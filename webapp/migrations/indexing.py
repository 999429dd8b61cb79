"""Building and dropping indexes of tables that may be large, while everybody goes on."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

_IS_BROKEN = sa.text("SELECT 1 FROM pg_index WHERE indexrelid = to_regclass(:name) AND NOT indisvalid")


def build_index(name: str, table: str, columns: Sequence[str], *, where: str | None = None) -> None:
    """Build an index. On PostgreSQL others write meanwhile; what an attempt that was broken off left is built anew.

    SQLite keeps the write lock meanwhile: about 2 s for a million rows.
    """
    condition = sa.text(where) if where else None
    context = op.get_context()
    with context.autocommit_block():
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
    with op.get_context().autocommit_block():
        op.drop_index(name, table, if_exists=True, postgresql_concurrently=True)
