"""An upgrade while everything works: whoever runs goes on, whoever is too old says so, and no row is lost."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import op
from alembic.migration import MigrationContext
from alembic.operations import Operations
from flask import Flask
from flask_migrate import upgrade

from tests.factories import Make
from tests.models.test_migrations import empty
from tests.receiver import Receiver, wait_until
from webapp import installation
from webapp.delivery.dispatching import Dispatcher
from webapp.extensions import db
from webapp.installation import NotReady, require_database
from webapp.migrations import running
from webapp.models import Agreement, Delivery, DeliveryState
from webapp.models.agreement import OLDEST_PROGRAM
from webapp.models.base import WRITE_OPTION
from webapp.upgrading import bring_up_to_date

__all__ = ["empty"]

MakeApp = Callable[..., Flask]


def upgrade_further(*, oldest: str) -> None:
    """What the next release does: every table has a column more, there is a table more, and a newer version."""
    tables = sa.inspect(db.engine).get_table_names()
    statements = [
        *(f'ALTER TABLE "{table}" ADD COLUMN of_tomorrow VARCHAR(10)' for table in tables),
        "CREATE TABLE tomorrow (id INTEGER PRIMARY KEY)",
        "UPDATE alembic_version SET version_num = '9999'",
        f"UPDATE agreement SET value = '{oldest}' WHERE name = '{OLDEST_PROGRAM}'",
    ]
    for statement in statements:
        with db.engine.connect().execution_options(**{WRITE_OPTION: True}) as connection, connection.begin():
            connection.exec_driver_sql(statement)


@pytest.mark.proves("F32")
def test_a_worker_goes_on_when_the_next_release_upgrades_under_it(
    empty: str, make_app: MakeApp, receiver: Receiver
) -> None:
    app = make_app(database_url=empty, allow_targets=receiver.target)
    bring_up_to_date(app)
    make = Make()
    webhook = make.webhook(url=receiver.url)
    worker = Dispatcher(app, threads=2)
    worker.start()
    try:
        for number in range(20):
            if number == 10:
                upgrade_further(oldest="0001")
            make.delivery(webhook)
            worker.wake()
            receiver.wait_for(number + 1)
        wait_until(lambda: states() == {DeliveryState.SUCCEEDED: 20})
    finally:
        worker.stop()
    require_database(app)


def states() -> dict[DeliveryState, int]:
    db.session.rollback()
    query = sa.select(Delivery.state, sa.func.count()).group_by(Delivery.state)
    return {row[0]: row[1] for row in db.session.execute(query)}


@pytest.mark.proves("F32")
def test_a_program_of_the_release_before_starts_on_the_newer_tables_and_says_so(
    empty: str, make_app: MakeApp, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = make_app(database_url=empty)
    bring_up_to_date(app)
    upgrade_further(oldest="0001")
    monkeypatch.setattr(logging.getLogger("webapp"), "propagate", True)
    require_database(app)
    bring_up_to_date(app)  # also for `webapp up`: it changes nothing

    assert "at version 9999, newer than this program" in caplog.text
    assert db.session.scalar(sa.text("SELECT version_num FROM alembic_version")) == "9999"


@pytest.mark.proves("F32")
def test_a_program_that_is_too_old_for_the_tables_refuses_to_start(empty: str, make_app: MakeApp) -> None:
    app = make_app(database_url=empty)
    bring_up_to_date(app)
    upgrade_further(oldest="9000")
    for start in (require_database, bring_up_to_date):
        with pytest.raises(NotReady, match="9999, which is newer than this program"):
            start(app)


def test_whoever_upgrades_leaves_word_which_programs_may_go_on(empty: str, make_app: MakeApp) -> None:
    bring_up_to_date(make_app(database_url=empty))

    told = db.session.get(Agreement, OLDEST_PROGRAM)
    assert told is not None
    assert told.value == "0001"


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_rebuilding_a_table_keeps_what_belongs_to_its_rows(app: Flask, make: Make) -> None:
    seq = make.delivery().seq
    db.session.remove()
    with db.engine.connect() as connection:
        running.prepare(connection)
        context = MigrationContext.configure(connection)
        with (
            context.begin_transaction(),
            Operations.context(context),
            op.batch_alter_table("webhook", recreate="always") as batch,
        ):
            batch.alter_column("name", type_=sa.String(300))

    assert db.session.get(Delivery, seq) is not None


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_table_in_use_is_waited_for_without_holding_up_others(
    empty: str, make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = make_app(database_url=empty)
    upgrade(revision="0001")
    monkeypatch.setattr(running, "PAUSE_S", 0.5)
    ended: list[Any] = []

    def go() -> None:
        bring_up_to_date(app)
        ended.append(True)

    upgrading = threading.Thread(target=go)
    with db.engine.connect() as reading:
        reading.exec_driver_sql("SELECT * FROM worker")
        upgrading.start()
        waits, until = [], time.monotonic() + 3
        while time.monotonic() < until:
            began = time.monotonic()
            with db.engine.begin() as other:
                other.exec_driver_sql("SELECT * FROM worker")
            waits.append(time.monotonic() - began)
        assert not ended
    upgrading.join(30)

    assert ended == [True]
    assert max(waits) < running.LOCK_TIMEOUT_S + 0.9
    installation.require_database(app)


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_machines_that_upgrade_at_once_take_turns_and_leave_no_lock(
    empty: str, make_app: MakeApp, tmp_path: Path
) -> None:
    machines = [
        subprocess.Popen(
            [sys.executable, "-m", "webapp", "db", "upgrade"],
            env={**os.environ, "WEBAPP_DATABASE_URL": empty, "WEBAPP_INSTANCE": str(tmp_path / f"machine{number}")},
            stderr=subprocess.PIPE,
        )
        for number in range(2)
    ]
    said = [machine.communicate(timeout=60)[1] for machine in machines]

    assert ([machine.returncode for machine in machines], said) == ([0, 0], [b"", b""])
    require_database(make_app(database_url=empty))
    held = sa.text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = :key")
    assert db.session.scalar(held, {"key": running.ADVISORY_LOCK}) == 0
