"""Many rows in one statement, at a fraction of what the same costs by `connection.execute(statement, rows)`.

That looks at each value of each row: for the rows of a delivery it costs a worker more than sending does. Here a
column is looked at once, and values that come again (the time of a batch, a word) are converted once. SQLite then runs
the statement for each row; PostgreSQL gets each column as one array and runs it once (`arrays`).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Dialect
from sqlalchemy.engine.default import DefaultDialect

from webapp.models import arrays

MAX_REMEMBERED = 128  # statements in their forms: by database and columns

_NO_DRIVER = DefaultDialect()  # its values are wrapped for no driver: what they are in arrays

Column = list[Any]


@dataclass(frozen=True, slots=True)
class _Prepared:
    """The text for a driver, and for each of its parameters the name and how to convert a column of values."""

    text: str
    converters: tuple[tuple[str, Callable[[Column], Column] | None], ...]


def execute(connection: Connection, statement: sa.Insert | sa.Update, rows: Sequence[Mapping[str, Any]]) -> None:
    """Run a statement for each row; all have the same names, and they name every column that is to be written.

    `statement` is a constant: it is compiled once. No two rows change the same one. Raises ValueError when a default of
    a column would have to be made up in Python, for that is not done here.
    """
    names = tuple(rows[0])
    if connection.dialect.name == "sqlite":
        prepared = _prepared(statement, connection.dialect, names)
        connection.exec_driver_sql(prepared.text, list(zip(*_columns(prepared, rows), strict=True)))
    elif len(rows) == 1:  # costs less by itself
        prepared = _prepared(statement, connection.dialect, names)
        columns = _columns(prepared, rows)
        connection.exec_driver_sql(
            prepared.text, {name: column[0] for (name, _), column in zip(prepared.converters, columns, strict=True)}
        )
    else:
        prepared = _prepared_for_arrays(statement, connection.dialect, names)
        columns = _columns(prepared, rows)
        connection.exec_driver_sql(
            prepared.text,
            {name: arrays.literal(column) for (name, _), column in zip(prepared.converters, columns, strict=True)},
        )


def _columns(prepared: _Prepared, rows: Sequence[Mapping[str, Any]]) -> list[Column]:
    columns = []
    for name, convert in prepared.converters:
        column = [row[name] for row in rows]
        columns.append(convert(column) if convert else column)
    return columns


@lru_cache(MAX_REMEMBERED)
def _prepared(statement: sa.Insert | sa.Update, dialect: Dialect, names: tuple[str, ...]) -> _Prepared:
    compiled: Any = statement.compile(dialect=dialect, column_keys=list(names))
    if made_up := [column.name for column in (*compiled.insert_prefetch, *compiled.update_prefetch)]:
        raise ValueError(f"name these columns, their defaults are made in Python: {', '.join(made_up)}")
    order = compiled.positiontup if compiled.positional else list(compiled.binds)
    return _Prepared(compiled.string, tuple((name, _converter(compiled.binds[name].type, dialect)) for name in order))


@lru_cache(MAX_REMEMBERED)
def _prepared_for_arrays(statement: sa.Insert | sa.Update, dialect: Dialect, names: tuple[str, ...]) -> _Prepared:
    _prepared(statement, dialect, names)  # raises what there is to raise
    types = arrays.types_of(statement, names)
    compiled: Any = arrays.once_for_all(statement, types).compile(dialect=dialect)
    return _Prepared(compiled.string, tuple((name, _converter(kind, _NO_DRIVER)) for name, kind in types.items()))


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
