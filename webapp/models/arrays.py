"""Columns of values as arrays of PostgreSQL, so that many rows are one statement, one answer and one plan.

A driver that is given a list looks at each value and at the type of each; and one statement for each row, even in a
pipeline, costs the worker a system call and an answer to read. A column's text is all that the server needs
(PostgreSQL, "Array Input and Output Syntax").
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.sql import visitors

Types = dict[str, sa.types.TypeEngine[Any]]


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


def types_of(statement: sa.Insert | sa.Update, names: Sequence[str]) -> Types:
    """The type of each value that the statement is given: that of its parameter, or else of the column of that name."""
    parameters = {each.key: each.type for each in visitors.iterate(statement) if isinstance(each, sa.BindParameter)}
    columns = statement.table.c
    return {name: parameters[name] if name in parameters else columns[name].type for name in names}


def once_for_all(
    statement: sa.Insert | sa.Update, types: Mapping[str, sa.types.TypeEngine[Any]]
) -> sa.Insert | sa.Update:
    """The statement that does for all rows what `statement` does for one; its parameters are arrays, named alike."""
    arrays = [sa.cast(sa.bindparam(name, type_=sa.types.NullType()), ARRAY(_unbounded(types[name]))) for name in types]
    columns = [sa.column(name, kind) for name, kind in types.items()]
    given = sa.func.unnest(*arrays).table_valued(*columns).render_derived(name="given")
    if isinstance(statement, sa.Insert):
        names = list(types)
        return statement.from_select(names, sa.select(*[given.c[name] for name in names]), include_defaults=False)

    def from_given(element: Any, **_: Any) -> Any:
        return given.c[element.key] if isinstance(element, sa.BindParameter) and element.key in types else None

    written = {name: given.c[name] for name in types if name in statement.table.c}
    whole = statement.values(written) if written else statement
    return cast(sa.Update, visitors.replacement_traverse(whole, {}, from_given))


def _unbounded(kind: sa.types.TypeEngine[Any]) -> sa.types.TypeEngine[Any]:
    """Cast to a bounded type a text that is too long would be cut in silence, where a column refuses it."""
    return sa.Text() if isinstance(kind, sa.String) else kind
