"""What is asked all the time finds its rows by an index on both databases, so that nothing slows as tables grow."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tests.benchmarks import growing, growth
from tests.benchmarks.growing import Grown, grown
from tests.models.test_migrations import empty
from webapp.extensions import db
from webapp.models import Base

__all__ = ["empty"]

both_databases = pytest.mark.parametrize("database", ["sqlite", "postgresql"], indirect=True)
LARGE = {"event", "delivery", "attempt", "redelivery", "webhook_hour", "audit_entry"}
ALL_OF_REPLAYS = "ix_redelivery_replay_seq"  # partial, and as large as its table where much was replayed
FEW_ROWS = {
    index.name
    for table in Base.metadata.sorted_tables
    for index in table.indexes
    if index.dialect_options["sqlite"]["where"] is not None and index.name != ALL_OF_REPLAYS
}
# The newest attempts, by their number, and no more than are wanted.
BOUNDED = re.compile(r"FROM attempt ORDER BY attempt.seq DESC\s+LIMIT")


@pytest.fixture
def made(empty: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Grown]:
    """A small installation with a past."""
    monkeypatch.setenv("WEBAPP_INSTANCE", str(tmp_path))
    monkeypatch.setattr(growing, "WAITING_AMONG", 500)
    monkeypatch.setattr(growth, "TIMES", 1)
    monkeypatch.setattr(growth, "PRUNED", 100)
    with grown(empty, tmp_path, deliveries=4_000, seconds=60) as filled:
        assert filled
        yield filled


@pytest.fixture
def asked() -> Iterator[dict[str, Any]]:
    """Every statement that is executed from now on, with its parameters."""
    found: dict[str, Any] = {}

    def note(_connection: Any, _cursor: Any, statement: str, values: Any, _context: Any, is_many: bool) -> None:
        if re.match(r"\s*(SELECT|UPDATE|DELETE|WITH)", statement):
            found.setdefault(statement, values[0] if is_many else values)

    sa.event.listen(sa.Engine, "before_cursor_execute", note)
    yield found
    sa.event.remove(sa.Engine, "before_cursor_execute", note)


@both_databases
@pytest.mark.proves("A27")
def test_no_step_and_no_page_reads_a_whole_table(made: Grown, asked: dict[str, Any]) -> None:
    asked.clear()
    measured = growth.measure(made)
    statements = dict(asked)

    assert len(measured) > 20
    assert len(statements) > 50
    db.session.rollback()
    with db.engine.connect() as connection:
        walks = {
            statement: walked
            for statement, values in statements.items()
            if not BOUNDED.search(statement) and (walked := whole_tables(connection, statement, values))
        }
    assert walks == {}


def whole_tables(connection: sa.Connection, statement: str, values: Any) -> set[str]:
    """The large tables that a statement reads from one end to the other."""
    if connection.dialect.name == "sqlite":
        steps = [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)]
        return {table for step in steps for table in _walked(step)}
    plan = connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {statement}", values).scalar_one()
    return set(_scanned((json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"]))


def _walked(step: str) -> Iterator[str]:
    found = re.match(r"SCAN (\w+)(?: USING (?:COVERING )?INDEX (\w+))?", step)
    if found and found[1] in LARGE and found[2] not in FEW_ROWS:
        yield found[1]
    if ALL_OF_REPLAYS in step:
        yield "redelivery"


def _scanned(node: dict[str, Any]) -> Iterator[str]:
    if node["Node Type"] == "Seq Scan" and node["Relation Name"] in LARGE:
        yield node["Relation Name"]
    if node.get("Index Name") == ALL_OF_REPLAYS:
        yield "redelivery"
    for child in node.get("Plans", ()):
        yield from _scanned(child)


def test_the_table_sets_each_size_beside_the_others() -> None:
    found = {50: {"claim": [4.0, 3.0, 9.0]}, 500: {"claim": [6.0]}}

    assert growth.table(found).splitlines()[1].split() == ["claim", "3.00", "6.00", "2.00"]
