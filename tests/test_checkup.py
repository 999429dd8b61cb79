"""`webapp check`: every part has a fault of its own, found and told with what to do."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from click.testing import CliRunner, Result
from cryptography.fernet import Fernet
from flask import Flask

from tests.factories import SECRET, Make
from tests.ports import free_port
from tests.receiver import Receiver
from tests.smtp_server import SmtpServer
from webapp import checkup
from webapp.cli import checking, commands
from webapp.delivery import surveying
from webapp.delivery.condition import HARDLY_ANY_SPACE, LITTLE_SPACE, RULES, Level
from webapp.delivery.dispatching import Dispatcher
from webapp.extensions import db
from webapp.models import utc_now

both_databases = pytest.mark.parametrize("database", ["sqlite", "postgresql"], indirect=True)
PARTS = ("folder", "address", "mail", "integrity", "secrets", "clock", *RULES)


@pytest.fixture(autouse=True)
def migrated(app: Flask) -> Iterator[None]:
    """The database says that it is of this version."""
    engine = db.engine
    with engine.begin() as connection:
        MigrationContext.configure(connection).stamp(ScriptDirectory(app.extensions["migrate"].directory), "head")
    yield
    db.session.remove()
    if engine.dialect.name == "postgresql":  # it is the same server for all tests
        with engine.begin() as connection:
            connection.exec_driver_sql("DROP TABLE alembic_version")


@pytest.fixture(autouse=True)
def roomy(monkeypatch: pytest.MonkeyPatch) -> None:
    """However full the disk of this machine is."""
    leave(monkeypatch, LITTLE_SPACE)


def leave(monkeypatch: pytest.MonkeyPatch, free: int) -> None:
    """Let the disk have so many bytes left."""
    space = SimpleNamespace(disk_usage=lambda _: SimpleNamespace(free=free, total=100 * LITTLE_SPACE))
    monkeypatch.setattr(surveying, "shutil", space)


def look(app: Flask, *, answers: bool = True) -> dict[str, checkup.Found]:
    """What is found, by part."""
    db.session.rollback()
    return {each.part: each for each in checkup.look(app, lambda _: answers)}


def run(app: Flask, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> Result:
    """The command itself, on this application."""
    db.session.rollback()
    monkeypatch.setenv("TZ", "UTC")  # the command sets it; put back after the test
    monkeypatch.setattr(checking, "create_app", lambda _: app)
    return CliRunner().invoke(commands, ["check", *arguments])


def at_rest(app: Flask) -> Path:
    """The file of the embedded database, with nothing left beside it."""
    path = Path(db.engine.url.database or "")
    db.session.remove()
    db.engine.dispose()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return path


def damage(path: Path, table: str) -> None:
    """Write over the page that a table, or an index, begins with."""
    with closing(sqlite3.connect(path)) as connection:
        (page,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)).fetchone()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
    with path.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * size)


@both_databases
def test_all_parts_are_looked_at_and_good_when_a_worker_runs(app: Flask, make: Make, worker: Dispatcher) -> None:
    make.webhook()
    found = look(app)

    assert tuple(found) == PARTS
    assert {part: each.sentence for part, each in found.items() if each.level is not Level.GOOD} == {}


@both_databases
def test_without_a_worker_nothing_is_sent(app: Flask) -> None:
    found = look(app)

    assert [part for part, each in found.items() if each.level is not Level.GOOD] == ["workers"]
    assert found["workers"].level is Level.BAD
    assert "webapp worker" in found["workers"].sentence


@pytest.mark.parametrize("table", ["event", "ix_attempt_delivery_seq", "alembic_version"])
def test_a_damaged_page_is_told_and_the_data_is_not_judged(app: Flask, make: Make, table: str) -> None:
    make.delivery()
    damage(at_rest(app), table)
    found = look(app)

    assert tuple(found) == PARTS[:4]
    assert found["integrity"].level is Level.BAD
    assert "restore a backup" in found["integrity"].sentence


def test_a_list_of_free_pages_that_is_wrong_is_told_with_what_is(app: Flask, make: Make) -> None:
    make.delivery()
    with at_rest(app).open("r+b") as file:
        file.seek(36)  # where their number stands
        file.write((7).to_bytes(4, "big"))
    found = look(app)["integrity"]

    assert found.level is Level.BAD
    assert "It is damaged (" in found.sentence
    assert "freelist" in found.sentence.lower()


def test_a_truncated_file_is_told(app: Flask, make: Make) -> None:
    make.delivery()
    path = at_rest(app)
    os.truncate(path, path.stat().st_size // 2)
    found = look(app)["integrity"]

    assert found.level is Level.BAD
    assert "restore a backup" in found.sentence


def test_a_database_that_nobody_made_yet_is_told(app: Flask) -> None:
    at_rest(app).unlink()

    assert "webapp db upgrade" in look(app)["integrity"].sentence


def test_a_database_server_that_is_down_is_told(make_app: Any) -> None:
    app = make_app(database_url=f"postgresql://127.0.0.1:{free_port()}/none")
    found = look(app)["integrity"]

    assert found.level is Level.BAD
    assert "WEBAPP_DATABASE_URL" in found.sentence
    assert "restore" not in found.sentence


def test_something_else_in_place_of_the_database_is_told(app: Flask) -> None:
    at_rest(app).write_bytes(b"This is a letter to my aunt. " * 1000)
    found = look(app)["integrity"]

    assert found.level is Level.BAD
    assert "file is not a database" in found.sentence


def test_a_row_whose_parent_is_gone_is_told(app: Flask, make: Make) -> None:
    make.project()
    with closing(sqlite3.connect(at_rest(app))) as connection:
        connection.execute("DELETE FROM company")
        connection.commit()
    found = look(app)["integrity"]

    assert found.level is Level.BAD
    assert "a row of project names one of company that is not there" in found.sentence


@both_databases
@pytest.mark.parametrize(("version", "advice"), [("0001", "webapp db upgrade"), ("9999", "newer than this program")])
def test_a_database_of_another_version_is_told(app: Flask, version: str, advice: str) -> None:
    with db.engine.begin() as connection:
        connection.exec_driver_sql(f"UPDATE alembic_version SET version_num = '{version}'")
    found = look(app)

    assert "secrets" not in found
    assert found["integrity"].level is Level.BAD
    assert f"at version {version}" in found["integrity"].sentence
    assert advice in found["integrity"].sentence


@both_databases
def test_secrets_of_a_lost_key_are_counted(app: Flask, make: Make) -> None:
    make.webhook()
    make.webhook()
    make.webhook(secret=None)
    (app.extensions["settings"].key_file).write_text(Fernet.generate_key().decode())
    make.webhook()
    found = look(app)["secrets"]

    assert found.level is Level.BAD
    assert "No key opens 2 stored secrets" in found.sentence


@pytest.mark.parametrize("content", ["no key", ""])
@pytest.mark.parametrize("arguments", [(), ("--json",)])
def test_a_file_of_keys_that_holds_none_is_told(
    app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], content: str
) -> None:
    (tmp_path / "instance" / "encryption.key").write_text(content)
    monkeypatch.setenv("TZ", "UTC")
    result = CliRunner().invoke(commands, ["check", *arguments])

    assert result.exit_code == 2
    assert "encryption.key: each line must be a key" in result.output


@pytest.mark.parametrize(
    "setting",
    [
        "QUEUE_URL=redis://localhost:x",
        "QUEUE_URL=redis://[x",
        "DATABASE_URL=postgresql://localhost:x/y",
        "DATABASE_URL=postgresql://[x",
        "REQUEST_TIMEOUT=soon",
    ],
)
def test_settings_that_cannot_be_used_are_json_too(monkeypatch: pytest.MonkeyPatch, setting: str) -> None:
    name, _, value = setting.partition("=")
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.setenv(f"WEBAPP_{name}", value)
    result = CliRunner().invoke(commands, ["check", "--json"])

    told = json.loads(result.output)
    assert result.exit_code == 2
    assert (told["status"], told["settings"]) == ("failure", {})
    assert [(each["name"], each["status"]) for each in told["checks"]] == [("settings", "failure")]


def test_a_key_that_others_can_read_is_a_failure(app: Flask, tmp_path: Path) -> None:
    (tmp_path / "instance" / "encryption.key").chmod(0o640)
    found = look(app)["folder"]

    assert found.level is Level.BAD
    assert "encryption.key" in found.sentence
    assert "chmod 600" in found.sentence


def test_a_folder_that_others_can_look_into_is_a_warning(app: Flask, tmp_path: Path) -> None:
    (tmp_path / "instance").chmod(0o750)
    found = look(app)["folder"]

    assert found.level is Level.WATCH
    assert "chmod 700" in found.sentence


def test_a_mail_server_that_is_down_is_a_warning_without_its_password(make_app: Any) -> None:
    app = make_app(mail_url=f"smtp://me:hunter2@127.0.0.1:{free_port()}")
    found = look(app)["mail"]

    assert found.level is Level.WATCH
    assert "WEBAPP_MAIL_URL" in found.sentence
    assert "hunter2" not in found.sentence


def test_a_mail_server_that_answers_is_good_and_gets_no_mail(make_app: Any) -> None:
    with SmtpServer() as server:
        found = look(make_app(mail_url=f"smtp://127.0.0.1:{server.port}"))["mail"]

        assert found.level is Level.GOOD
        assert server.mails == []


def test_a_base_url_is_asked_for_real(make_app: Any, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    app = make_app(base_url=receiver.url)
    good = json.loads(run(app, monkeypatch, "--json").output)
    receiver.answers(502)
    bad_gateway = json.loads(run(app, monkeypatch, "--json").output)
    receiver.close()
    gone = json.loads(run(app, monkeypatch, "--json").output)

    assert [part_of(told, "address")["status"] for told in (good, bad_gateway, gone)] == ["ok", "warning", "warning"]
    assert [request.path for request in receiver.requests] == ["/healthz", "/healthz"]
    assert f"{receiver.url.rstrip('/')} does not answer" in part_of(gone, "address")["detail"]


@pytest.mark.parametrize(
    ("free", "level"),
    [(LITTLE_SPACE, Level.GOOD), (LITTLE_SPACE - 1, Level.WATCH), (HARDLY_ANY_SPACE - 1, Level.BAD)],
)
def test_a_disk_that_fills_up_is_told(app: Flask, monkeypatch: pytest.MonkeyPatch, free: int, level: Level) -> None:
    leave(monkeypatch, free)

    assert look(app)["disk"].level is level


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
@pytest.mark.parametrize(("apart", "level"), [(60, Level.WATCH), (-60, Level.WATCH), (3600, Level.BAD)])
def test_a_clock_that_differs_from_the_database_is_told(app: Flask, apart: int, level: Level) -> None:
    with time_machine.travel(utc_now() + timedelta(seconds=apart)):
        found = look(app)["clock"]

    assert found.level is level
    assert f"{abs(apart)} s apart" in found.sentence or f"{abs(apart) - 1} s apart" in found.sentence


def test_a_clock_that_went_back_is_told(app: Flask, make: Make) -> None:
    make.event(created_at=utc_now() + timedelta(hours=1))
    found = look(app)["clock"]

    assert found.level is Level.BAD
    assert "in the future" in found.sentence


def test_a_queue_that_cannot_be_reached_is_a_warning(make_app: Any) -> None:
    found = look(make_app(queue_url=f"redis://127.0.0.1:{free_port()}"))["bell"]

    assert found.level is Level.WATCH
    assert "WEBAPP_QUEUE_URL" in found.sentence


@both_databases
def test_the_exit_code_is_0_then_1_then_2(app: Flask, worker: Dispatcher, monkeypatch: pytest.MonkeyPatch) -> None:
    codes = []
    for free in (LITTLE_SPACE, LITTLE_SPACE - 1, HARDLY_ANY_SPACE - 1):
        leave(monkeypatch, free)
        told = json.loads(run(app, monkeypatch, "--json").output)
        codes.append((run(app, monkeypatch).exit_code, told["status"]))

    assert codes == [(0, "ok"), (1, "warning"), (2, "failure")]


@both_databases
def test_people_and_programs_are_told_the_same_parts(app: Flask, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    make.webhook()
    monkeypatch.setenv("WEBAPP_SECRET_KEY", "a-secret-that-nobody-sees")
    text, told = run(app, monkeypatch).output, json.loads(run(app, monkeypatch, "--json").output)

    assert [each["name"] for each in told["checks"]] == ["settings", *PARTS]
    lines = text.splitlines()[-len(told["checks"]) :]
    assert [line.split()[:2] for line in lines] == [[each["status"], each["name"]] for each in told["checks"]]
    assert all(each["detail"] for each in told["checks"])
    assert told["settings"]["WEBAPP_SECRET_KEY"] == "(set)"
    for secret in ("nobody-sees", SECRET, app.extensions["settings"].key_file.read_text().strip()):
        assert secret not in text + json.dumps(told)


def test_looking_changes_nothing(app: Flask, make: Make) -> None:
    make.delivery()
    before = rows()
    look(app)

    assert rows() == before


def rows() -> dict[str, int]:
    db.session.rollback()
    tables = db.metadata.sorted_tables
    return {table.name: db.session.scalar(sa.select(sa.func.count()).select_from(table)) for table in tables}


def part_of(told: dict[str, Any], name: str) -> dict[str, str]:
    found: dict[str, str] = next(each for each in told["checks"] if each["name"] == name)
    return found
