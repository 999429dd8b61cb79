"""The rows of a query in one step of the driver.

SQLite's driver lets go of the interpreter for each row that it reads, and beside busy threads waits to get it back each
time: reading a row costs more than sending a request. There all rows come as one text of JSON.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.engine import Connection, Dialect

MAX_REMEMBERED = 64  # queries

Converter = Callable[[Any], Any]
Query = sa.Select[Any] | sa.TextualSelect


def rows(connection: Connection, query: Query, values: Mapping[str, Any] | None = None) -> Sequence[Any]:
    """What `connection.execute(query, values).all()` returns: rows whose columns are attributes.

    `query` is a constant. Its columns are whole numbers, truth, words, times, text, bytes that are UTF-8, or JSON as it
    is kept; none that SQLite makes by a function of JSON.
    """
    if connection.dialect.name != "sqlite":
        return connection.execute(query, values).all()
    whole, make, converters = _packed(query, connection.dialect)
    columns = orjson.loads(connection.execute(whole, values).scalar_one())
    return [make(*row) for row in zip(*map(_converted, columns, converters), strict=True)]


def _converted(column: list[Any], convert: Converter | None) -> list[Any]:
    return column if convert is None else [None if value is None else convert(value) for value in column]


@lru_cache(MAX_REMEMBERED)
def _packed(query: Query, dialect: Dialect) -> tuple[sa.Select[Any], Callable[..., Any], tuple[Converter | None, ...]]:
    found = query.subquery()
    columns = [sa.func.json_group_array(_as_text(column)) for column in found.c]
    make = namedtuple("Row", found.c.keys())  # type: ignore[misc]
    return (
        sa.select(sa.func.json_array(*columns)),
        make,
        tuple(_converter(column.type, dialect) for column in found.c),
    )


def _as_text(column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """JSON has no bytes."""
    is_bytes = isinstance(column.type, sa.LargeBinary)
    return sa.cast(column, sa.Text) if is_bytes else sa.type_coerce(column, sa.types.NullType())


def _converter(kind: sa.types.TypeEngine[Any], dialect: Dialect) -> Converter | None:
    if isinstance(kind, sa.LargeBinary):
        return str.encode
    return kind.dialect_impl(dialect).result_processor(dialect, None)
