"""A database file that is damaged, cut off, empty or read-only: the start is refused, and the file stays as it is."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from flask import Flask

from tests.factories import Make
from webapp import config, create_app, database_file, installation, upgrading
from webapp.extensions import db
from webapp.installation import NotReady


def half(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def without_its_last_page(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 4096)


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def overwritten(path: Path) -> None:
    path.write_bytes(b"This is a letter to my aunt. " * 1000)


def rest(app: Flask, path: Path) -> None:
    """Close it properly, so that all is in the file."""
    with app.app_context():
        db.session.remove()
        db.engine.dispose()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


@pytest.fixture
def path(database: str) -> Path:
    return Path(database.removeprefix("sqlite:///"))


@pytest.mark.proves("F22")
@pytest.mark.parametrize("start", [installation.require_database, upgrading.bring_up_to_date])
@pytest.mark.parametrize("damage", [half, without_its_last_page, emptied, overwritten])
def test_a_start_on_a_damaged_file_is_refused_and_the_file_is_left_alone(
    app: Flask, make: Make, path: Path, damage: Callable[[Path], None], start: Callable[[Flask], None]
) -> None:
    make.delivery()
    rest(app, path)
    damage(path)
    before = path.read_bytes()
    with pytest.raises(NotReady, match=r"cannot be used.*restore a backup"):
        start(app)
    assert path.read_bytes() == before


@pytest.mark.proves("F22")
@pytest.mark.parametrize("start", [installation.require_database, upgrading.bring_up_to_date])
def test_a_start_on_a_file_that_cannot_be_written_is_refused(
    app: Flask, path: Path, start: Callable[[Flask], None]
) -> None:
    rest(app, path)
    read_only = create_app(config.load(database_url=f"sqlite:///file:{path}?mode=ro&uri=true"))
    with pytest.raises(NotReady, match=r"readonly database.*may this account read and write it"):
        start(read_only)
    with read_only.app_context():
        db.engine.dispose()


def test_a_whole_file_is_fine_whatever_still_lies_in_its_log(app: Flask, make: Make, path: Path) -> None:
    make.delivery()
    assert database_file.fault_of(path) is None
    rest(app, path)
    assert database_file.fault_of(path) is None
    assert database_file.fault_of(path.with_name("none.db")) is None
