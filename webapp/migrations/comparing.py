"""How Alembic writes and compares our column types: as the plain types behind them."""

from typing import Any

import sqlalchemy as sa

from webapp.models.base import EncryptedText, UtcTime


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
