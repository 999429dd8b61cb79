"""Many rows in one statement, at a fraction of what the same costs by `connection.execute(statement, rows)`.

That looks at each value of each row: for the rows of a delivery it costs a worker more than sending does. Here a
column is looked at once, and values that come again (the time of a batch, a word) are converted once.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Dialect

MAX_REMEMBERED = 128  # statements in their forms: by database and columns

Column = list[Any]


@dataclass(frozen=True, slots=True)
class _Prepared:
    """The text for a driver, and for each of its parameters the name and how to convert a column of values."""

    text: str
    converters: tuple[tuple[str, Callable[[Column], Column] | None], ...]
    is_positional: bool


def execute(connection: Connection, statement: sa.Insert | sa.Update, rows: Sequence[Mapping[str, Any]]) -> None:
    """Run a statement for each row; all have the same names, and they name every column that is to be written.

    `statement` is a constant: it is compiled once. Raises ValueError when a default of a column would have to be made
    up in Python, for that is not done here.
    """
    prepared = _prepared(statement, connection.dialect, tuple(rows[0]))
    columns = []
    for name, convert in prepared.converters:
        column = [row[name] for row in rows]
        columns.append(convert(column) if convert else column)
    values = list(zip(*columns, strict=True))
    if prepared.is_positional:
        connection.exec_driver_sql(prepared.text, values)
        return
    names = [name for name, _ in prepared.converters]
    named = [dict(zip(names, each, strict=True)) for each in values]
    connection.exec_driver_sql(prepared.text, named if len(named) > 1 else named[0])  # one costs less by itself


@lru_cache(MAX_REMEMBERED)
def _prepared(statement: sa.Insert | sa.Update, dialect: Dialect, names: tuple[str, ...]) -> _Prepared:
    compiled: Any = statement.compile(dialect=dialect, column_keys=list(names))
    if made_up := [column.name for column in (*compiled.insert_prefetch, *compiled.update_prefetch)]:
        raise ValueError(f"name these columns, their defaults are made in Python: {', '.join(made_up)}")
    order = compiled.positiontup if compiled.positional else list(compiled.binds)
    converters = tuple((name, _converter(compiled.binds[name].type, dialect)) for name in order)
    return _Prepared(compiled.string, converters, bool(compiled.positional))


def _converter(kind: sa.types.TypeEngine[Any], dialect: Dialect) -> Callable[[Column], Column] | None:
    """How to convert a column of values for the driver, None where they go as they are."""
    convert = kind.dialect_impl(dialect).bind_processor(dialect)
    if convert is None:
        return None
    if isinstance(kind, sa.JSON):  # not hashable, and seldom twice the same
        return lambda column: [convert(value) for value in column]
    return lambda column: _each_once(convert, column)


def _each_once(convert: Callable[[Any], Any], column: Column) -> Column:
    known: dict[Hashable, Any] = {value: convert(value) for value in set(column)}
    return [known[value] for value in column]
