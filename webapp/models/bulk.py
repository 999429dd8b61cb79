"""Many rows in one statement, at a fraction of what the same costs by `connection.execute(statement, rows)`.

That looks at each value of each row: for the rows of a delivery it costs a worker more than sending does. Here a
column is looked at once, and values that come again (the time of a batch, a word) are converted once.

PostgreSQL gets each column as one array (`arrays`). SQLite gets a table of values, some rows at a time: its driver lets
go of the interpreter for each row that it writes by itself, and beside busy threads waits to get it back each time.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.engine import Connection, Dialect
from sqlalchemy.engine.default import DefaultDialect

from webapp.models import arrays, given, pipelines

MAX_REMEMBERED = 256  # statements in their forms: by database, columns and number of rows
AT_ONCE = (64, 16, 4, 1)  # rows of a table of values: few numbers, so that each form is parsed and kept once

_NO_DRIVER = DefaultDialect()  # its values are wrapped for no driver: what they are in arrays

# Left to SQLAlchemy: its sign for a null in JSON, which is a whole number of its own kind, and what is refused there.
_PLAIN_JSON = orjson.OPT_PASSTHROUGH_SUBCLASS | orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_DATACLASS

Column = list[Any]


@dataclass(frozen=True, slots=True)
class _Prepared:
    """The text for a driver, and for each of its parameters the name and how to convert a column of values."""

    text: str
    converters: tuple[tuple[str, Callable[[Column], Column] | None], ...]


def execute(connection: Connection, statement: sa.Insert | sa.Update, rows: Sequence[Mapping[str, Any]]) -> None:
    """Run a statement for each row; all have the same names, and they name every column that is to be written.

    `statement` is a constant: it is compiled once. No two rows change the same one. In a pipeline nobody waits for it.
    Raises ValueError when a default of a column would have to be made up in Python, for that is not done here.
    """
    names = tuple(rows[0])
    if connection.dialect.name == "sqlite":
        _execute_by_values(connection, statement, names, rows)
        return
    if len(rows) == 1:  # costs less by itself
        prepared = _prepared(statement, connection.dialect, names)
        values = [column[0] for column in _columns(prepared, rows)]
    else:
        prepared = _prepared_for_arrays(statement, connection.dialect, names)
        values = [arrays.literal(column) for column in _columns(prepared, rows)]
    with pipelines.unanswered(connection):
        connection.exec_driver_sql(
            prepared.text, {name: value for (name, _), value in zip(prepared.converters, values, strict=True)}
        )


def _execute_by_values(
    connection: Connection, statement: sa.Insert | sa.Update, names: tuple[str, ...], rows: Sequence[Mapping[str, Any]]
) -> None:
    done = 0
    while done < len(rows):
        count = next(number for number in AT_ONCE if number <= len(rows) - done)
        prepared = _prepared_for_values(statement, connection.dialect, names, count)
        columns = _columns(prepared, rows[done : done + count])
        values = chain.from_iterable(zip(*columns, strict=True))
        connection.exec_driver_sql(prepared.text, tuple(values))
        done += count


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
    types = given.types_of(statement, names)
    compiled: Any = given.once_for_all(statement, types, arrays.table(types)).compile(dialect=dialect)
    return _Prepared(compiled.string, tuple((name, _converter(kind, _NO_DRIVER)) for name, kind in types.items()))


@lru_cache(MAX_REMEMBERED)
def _prepared_for_values(
    statement: sa.Insert | sa.Update, dialect: Dialect, names: tuple[str, ...], count: int
) -> _Prepared:
    prepared = _prepared(statement, dialect, names)
    if count == 1:
        return prepared
    types = given.types_of(statement, names)
    table = sa.table(given.NAME, *given.columns_of(types))
    compiled = given.once_for_all(statement, types, table).compile(dialect=dialect)
    row = f"({', '.join('?' * len(types))})"
    head = f"WITH {table.name} ({', '.join(types)}) AS (VALUES {', '.join([row] * count)})"
    return _Prepared(
        f"{head} {compiled.string}", tuple((name, _converter(kind, dialect)) for name, kind in types.items())
    )


def _converter(kind: sa.types.TypeEngine[Any], dialect: Dialect) -> Callable[[Column], Column] | None:
    """How to convert a column of values for the driver, None where they go as they are."""
    convert = kind.dialect_impl(dialect).bind_processor(dialect)
    if convert is None:
        return None
    if isinstance(kind, sa.JSON):  # not always hashable, and 1 equals true
        written = convert if dialect.name == "postgresql" else _as_json(convert)  # its driver wants no text
        return lambda column: [written(value) for value in column]
    return lambda column: _each_once(convert, column)


def _as_json(convert: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """How to write a value: None may stand for NULL, and what is no plain JSON of 64 bits goes the usual way."""

    def text(value: Any) -> Any:
        if value is None:
            return convert(value)
        try:
            return orjson.dumps(value, option=_PLAIN_JSON).decode()
        except orjson.JSONEncodeError:
            return convert(value)

    return text


def _each_once(convert: Callable[[Any], Any], column: Column) -> Column:
    known: dict[Hashable, Any] = {value: convert(value) for value in set(column)}
    return [known[value] for value in column]
