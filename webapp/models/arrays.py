"""Columns of values as arrays of PostgreSQL, so that many rows are one statement, one answer and one plan.

A driver that is given a list looks at each value and at the type of each; and one statement for each row, even in a
pipeline, costs the worker a system call and an answer to read. A column's text is all that the server needs
(PostgreSQL, "Array Input and Output Syntax").
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from webapp.models import given


def literal(column: Sequence[Any]) -> str:
    """The values (text, bytes, times, numbers, truth or None) as text that PostgreSQL reads as an array."""
    return "{" + ",".join([_element(value) for value in column]) + "}"


def _element(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, bytes):
        return f'"\\\\x{value.hex()}"'
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def table(types: Mapping[str, sa.types.TypeEngine[Any]]) -> sa.FromClause:
    """A table of rows whose columns are parameters, named alike: arrays."""
    columns = [sa.cast(sa.bindparam(name, type_=sa.types.NullType()), ARRAY(_unbounded(types[name]))) for name in types]
    return sa.func.unnest(*columns).table_valued(*given.columns_of(types)).render_derived(name=given.NAME)


def _unbounded(kind: sa.types.TypeEngine[Any]) -> sa.types.TypeEngine[Any]:
    """Cast to a bounded type a text that is too long would be cut in silence, where a column refuses it."""
    return sa.Text() if isinstance(kind, sa.String) else kind
