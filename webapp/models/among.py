"""Is a column one of many values? As one parameter, so that a statement is the same however many they are.

A list of parameters is written out anew for each length: the text, its parsing and its plan cost a worker and the
database more than looking the rows up.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from webapp.models import arrays


class _Values(sa.types.TypeDecorator[Collection[Any]]):
    """Numbers or texts: JSON on SQLite, an array on PostgreSQL."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: Collection[Any] | None, dialect: sa.Dialect) -> str | None:
        if value is None:
            return None
        values = list(value)
        return json.dumps(values) if dialect.name == "sqlite" else arrays.literal(values)


class _Among(FunctionElement[bool]):
    """The column, then the parameter."""

    type = sa.Boolean()
    inherit_cache = True

    def self_group(self, against: Any = None) -> Any:
        """As it stands: `(…) = 1`, which SQLite would otherwise be asked, uses no index."""
        return self


def among(column: sa.ColumnElement[Any], name: str) -> sa.ColumnElement[bool]:
    """Whether `column`, of numbers or of text, is one of the values of the parameter `name`, which is a collection."""
    return _Among(column, sa.bindparam(name, type_=_Values()))


@compiles(_Among, "sqlite")
def _on_sqlite(element: _Among, compiler: Any, **options: Any) -> str:
    column, values = (compiler.process(clause, **options) for clause in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({values}))"  # noqa: S608 - a compiled column and parameter


@compiles(_Among, "postgresql")
def _on_postgresql(element: _Among, compiler: Any, **options: Any) -> str:
    column, values = (compiler.process(clause, **options) for clause in element.clauses)
    kind = "BIGINT" if isinstance(element.clauses.clauses[0].type, sa.Integer) else "TEXT"
    return f"{column} = ANY (CAST({values} AS {kind}[]))"
