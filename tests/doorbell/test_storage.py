"""The embedded queue outlives whatever happens to its files and sockets."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from tests.doorbell.workers import bell_sockets, noting, quickest_refusal, quickest_wake, ring_until_seen, rung, until
from webapp.doorbell import BELL_LIMIT, BellLostError, Listener, sockets
from webapp.doorbell.storage import MAX_WAIT


@pytest.mark.usefixtures("listening")
@pytest.mark.parametrize(
    "names", [["queue.db"], ["queue.db-wal", "queue.db-shm"], ["queue.db", "queue.db-wal", "queue.db-shm"]]
)
def test_a_deleted_queue_is_made_anew(huey_and_note: Any, seen: list[Any], tmp_path: Path, names: list[str]) -> None:
    _, note = huey_and_note
    note(1)
    until(lambda: seen == [1])
    for name in names:
        (tmp_path / name).unlink(missing_ok=True)
    ring_until_seen(note, 2, seen)


def test_a_queue_deleted_between_processes_is_found_again(url: str, start_worker: Any, tmp_path: Path) -> None:
    huey, note = noting(url, print)
    worker = start_worker(url)
    until(lambda: bell_sockets(huey))
    note(1)
    assert worker.arrival()[1] == 1
    for path in tmp_path.glob("queue.db*"):
        path.unlink()
    until(lambda: rung(note, 2) and worker.pipe.poll(0.3))
    assert worker.arrival()[1] == 2


def test_a_damaged_queue_is_put_aside(huey_and_note: Any, seen: list[Any], tmp_path: Path, listen: Any) -> None:
    huey, note = huey_and_note
    damage = b"no database " * 1000
    (tmp_path / "queue.db").write_bytes(damage)
    listener = listen(huey)
    ring_until_seen(note, 1, seen)
    assert listener.stop(10)
    assert (tmp_path / "queue.db.damaged").read_bytes() == damage


@pytest.mark.usefixtures("listening")
def test_a_queue_without_tables_gets_them_again(huey_and_note: Any, seen: list[Any], tmp_path: Path) -> None:
    _, note = huey_and_note
    note(1)
    until(lambda: seen == [1])
    with contextlib.closing(sqlite3.connect(tmp_path / "queue.db")) as other:
        other.execute("drop table task")
    ring_until_seen(note, 2, seen)


@pytest.mark.usefixtures("listening")
@pytest.mark.parametrize("damage", [b"", b"no database " * 1000])
def test_damage_while_it_runs_is_mended(huey_and_note: Any, seen: list[Any], tmp_path: Path, damage: bytes) -> None:
    _, note = huey_and_note
    note(1)
    until(lambda: seen == [1])
    (tmp_path / "queue.db").write_bytes(damage)
    ring_until_seen(note, 2, seen)


@pytest.mark.usefixtures("listening")
@pytest.mark.parametrize("whole_folder", [False, True])
def test_a_deleted_socket_is_made_anew(huey_and_note: Any, seen: list[Any], whole_folder: bool) -> None:
    huey, note = huey_and_note
    (former,) = bell_sockets(huey)
    shutil.rmtree(huey.storage.folder) if whole_folder else former.unlink()
    (new,) = until(lambda: bell_sockets(huey))
    assert new != former
    note(1)
    assert quickest_wake(note, seen) < MAX_WAIT / 10


@pytest.mark.parametrize("harm", ["mode", "link", "owner"])
def test_without_a_safe_folder_work_is_found_by_looking(
    huey_and_note: Any, tmp_path: Path, harm: str, caplog: pytest.LogCaptureFixture, listen: Any
) -> None:
    huey, note = huey_and_note
    folder = huey.storage.folder
    if harm == "owner" and os.geteuid() != 0:
        pytest.skip("only root can give a folder away")
    if harm == "link":
        folder.symlink_to(tmp_path)
    else:
        folder.mkdir(mode=0o755 if harm == "mode" else 0o700)
        if harm == "owner":
            os.chown(folder, 12345, -1)
    try:
        listener = listen(huey)
        note(1)
        until(lambda: huey.pending_count() == 0)
        assert not bell_sockets(huey)
        assert listener.stop(10)
        assert caplog.text.count("no doorbell here") == 1
    finally:
        folder.unlink() if harm == "link" else folder.rmdir()


def test_the_folder_and_the_queue_are_closed_to_others(huey_and_note: Any, listening: Listener, tmp_path: Path) -> None:
    huey, note = huey_and_note
    note(1)
    assert huey.storage.folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in tmp_path.glob("queue.db*")} == {0o600}


def test_a_long_temp_folder_is_avoided(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    long = tmp_path / ("x" * 100)
    long.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(long))
    bell = sockets.BellSocket(sockets.bell_folder(tmp_path / "queue.db"))
    assert len(os.fsencode(bell.path)) <= sockets.MAX_SOCKET_PATH_BYTES
    bell.close()


def test_a_locked_queue_does_not_hold_up_the_one_who_rings(huey_and_note: Any, tmp_path: Path) -> None:
    _, note = huey_and_note
    note(1)
    with contextlib.closing(sqlite3.connect(tmp_path / "queue.db", isolation_level=None)) as other:
        other.execute("begin exclusive")
        assert quickest_refusal(note) < BELL_LIMIT


@pytest.mark.usefixtures("listening")
def test_a_locked_queue_is_looked_at_again_without_a_word(
    huey_and_note: Any, seen: list[Any], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    huey, note = huey_and_note
    note(0)
    until(lambda: seen == [0])
    with contextlib.closing(sqlite3.connect(tmp_path / "queue.db", isolation_level=None)) as other:
        other.execute("begin exclusive")
        other.execute("insert into task (queue, data) select ?, ?", (huey.name, huey.serialize_task(note.s(1))))
        sockets.ring(huey.storage.folder)
        with pytest.raises(BellLostError):
            note(2)
        other.execute("commit")
    until(lambda: seen == [0, 1])
    assert "cannot be read" not in caplog.text


def test_a_folder_that_is_missing_is_complained_about_once_and_never_ends_the_listener(
    tmp_path: Path, seen: list[Any], caplog: pytest.LogCaptureFixture, listen: Any
) -> None:
    huey, note = noting(f"sqlite:///{tmp_path / 'later' / 'queue.db'}", seen.append)
    listener = listen(huey)
    until(lambda: "cannot be read" in caplog.text)
    with pytest.raises(BellLostError):
        note(1)
    (tmp_path / "later").mkdir()
    ring_until_seen(note, 2, seen)
    assert listener.stop(10)
    assert caplog.text.count("cannot be read") == 1
