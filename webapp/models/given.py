"""A statement for one row, written anew so that it does the same for each row of a table of given values, at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.sql import visitors

Types = dict[str, sa.types.TypeEngine[Any]]

NAME = "given"  # of the table


def types_of(statement: sa.Insert | sa.Update, names: Sequence[str]) -> Types:
    """The type of each value that the statement is given: that of its parameter, or else of the column of that name."""
    parameters = {each.key: each.type for each in visitors.iterate(statement) if isinstance(each, sa.BindParameter)}
    columns = statement.table.c
    return {name: parameters[name] if name in parameters else columns[name].type for name in names}


def columns_of(types: Mapping[str, sa.types.TypeEngine[Any]]) -> list[sa.ColumnClause[Any]]:
    """The columns of the table of given values."""
    return [sa.column(name, kind) for name, kind in types.items()]


def once_for_all(
    statement: sa.Insert | sa.Update, types: Mapping[str, sa.types.TypeEngine[Any]], given: sa.FromClause
) -> sa.Insert | sa.Update:
    """The statement that does for all rows of `given` what `statement` does for one. Its parameters have become columns
    of the same names.
    """
    if isinstance(statement, sa.Insert):
        names = list(types)
        # SQLite reads the ON of ON CONFLICT as that of a join where no WHERE stands before it ("Parsing Ambiguity").
        rows = sa.select(*[given.c[name] for name in names]).where(sa.true())
        return statement.from_select(names, rows, include_defaults=False)

    def from_given(element: Any, **_: Any) -> Any:
        return given.c[element.key] if isinstance(element, sa.BindParameter) and element.key in types else None

    written = {name: given.c[name] for name in types if name in statement.table.c}
    whole = statement.values(written) if written else statement
    return cast(sa.Update, visitors.replacement_traverse(whole, {}, from_given))
