"""`webapp backup`: one moment of the database in one file, whole, private, and without the keys."""

from __future__ import annotations

import os
import sqlite3
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from flask import Flask

from tests.factories import SECRET, Make
from tests.receiver import wait_until
from webapp import backups
from webapp.backups import NoBackup
from webapp.extensions import db
from webapp.models import Webhook, transaction


def ask(file: Path, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
        return connection.execute(query).fetchall()


@contextmanager
def writing(app: Flask, make: Make, webhook: Webhook) -> Iterator[Callable[[], int]]:
    """Meanwhile a thread goes on writing events, each in one transaction with its delivery; yields their number."""
    written, stopping, id_ = [0], threading.Event(), webhook.id

    def write() -> None:
        with app.app_context():
            target = db.session.get_one(Webhook, id_)
            while not stopping.is_set():
                with transaction():
                    make.delivery(target)  # and its event
                written[0] += 1
            db.session.remove()

    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield lambda: written[0]
    finally:
        stopping.set()
        thread.join()


@pytest.mark.proves("F59")
def test_a_backup_while_events_are_written_is_whole(app: Flask, make: Make, tmp_path: Path) -> None:
    with writing(app, make, make.webhook()) as count:
        kept = []
        for number in range(4):
            wait_until(lambda least=100 * (number + 1): count() >= least, within=60)
            before = count()
            backups.write(tmp_path / f"{number}.db")
            kept.append((tmp_path / f"{number}.db", before, count() + 1))
        wait_until(lambda: count() > kept[-1][2], within=10)  # nobody was in its way

    for file, least, most in kept:
        assert ask(file, "PRAGMA integrity_check") == [("ok",)]
        assert ask(file, "PRAGMA foreign_key_check") == []
        ((events, deliveries, pairs),) = ask(
            file,
            "SELECT (SELECT count(*) FROM event), (SELECT count(*) FROM delivery),"
            " (SELECT count(*) FROM event JOIN delivery ON delivery.event_seq = event.seq)",
        )
        assert events == deliveries == pairs
        assert least <= events <= most


def test_a_backup_holds_every_row_of_every_table(app: Flask, make: Make, tmp_path: Path) -> None:
    make.attempt(make.delivery())
    make.comment()
    backups.write(tmp_path / "backup.db")

    source = Path(db.engine.url.database or "")
    for table in db.metadata.sorted_tables:
        query = f'SELECT * FROM "{table.name}" ORDER BY 1, 2'
        assert ask(tmp_path / "backup.db", query) == ask(source, query)


@pytest.mark.usefixtures("app")
def test_a_backup_is_for_its_owner_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        size = backups.write(tmp_path / "backup.db")
    finally:
        os.umask(before)
    found = (tmp_path / "backup.db").stat()

    assert stat.S_IMODE(found.st_mode) == 0o600
    assert size == found.st_size > 0


@pytest.mark.usefixtures("app")
def test_a_backup_never_replaces_a_file(tmp_path: Path) -> None:
    (tmp_path / "backup.db").write_text("the one of yesterday")

    with pytest.raises(NoBackup, match="is there already"):
        backups.write(tmp_path / "backup.db")
    assert (tmp_path / "backup.db").read_text() == "the one of yesterday"


@pytest.mark.usefixtures("app")
def test_a_file_that_comes_meanwhile_is_not_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copy = backups._copy

    def copy_slowly(source: Path, draft: Path) -> None:
        copy(source, draft)
        (tmp_path / "backup.db").write_text("of somebody else")

    monkeypatch.setattr(backups, "_copy", copy_slowly)
    before = set(tmp_path.iterdir())

    with pytest.raises(NoBackup, match="is there already"):
        backups.write(tmp_path / "backup.db")
    assert (tmp_path / "backup.db").read_text() == "of somebody else"
    assert set(tmp_path.iterdir()) - before <= {
        tmp_path / "backup.db",
        tmp_path / "app.db-shm",
        tmp_path / "app.db-wal",
    }


@pytest.mark.usefixtures("app")
def test_a_link_that_leads_nowhere_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "backup.db").symlink_to(tmp_path / "elsewhere.db")

    with pytest.raises(NoBackup, match="is there already"):
        backups.write(tmp_path / "backup.db")
    assert not (tmp_path / "elsewhere.db").exists()


def test_keys_and_secrets_are_not_in_a_backup(app: Flask, make: Make, tmp_path: Path) -> None:
    make.webhook()
    backups.write(tmp_path / "backup.db")
    content = (tmp_path / "backup.db").read_bytes()

    assert make.webhook().secret_ciphertext[:4].encode() in content  # what is encrypted is there
    for name in ("encryption.key", "secret.key"):
        assert (tmp_path / "instance" / name).read_bytes().strip() not in content
    assert SECRET.encode() not in content


def test_a_damaged_database_leaves_no_backup_behind(app: Flask, make: Make, tmp_path: Path) -> None:
    make.delivery()
    source = Path(db.engine.url.database or "")
    db.session.remove()
    db.engine.dispose()
    os.truncate(source, source.stat().st_size // 2)

    with pytest.raises(NoBackup, match=r"could not be copied.*webapp check"):
        backups.write(tmp_path / "backup.db")
    assert not [path for path in tmp_path.iterdir() if "backup" in path.name]


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_on_postgresql_the_right_tool_is_named(tmp_path: Path) -> None:
    with pytest.raises(NoBackup, match="pg_dump"):
        backups.write(tmp_path / "backup.db")
    assert not (tmp_path / "backup.db").exists()
