"""Keys that an installation makes for itself."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from webapp import key_files

TOGETHER = 8


def test_a_key_is_made_once_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    path = tmp_path / "secret.key"
    assert key_files.key_in(path, "first") == "first"
    assert key_files.key_in(path, "second") == "first"
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_first_starts_at_once_agree_on_one_key(tmp_path: Path) -> None:
    path, ready = tmp_path / "secret.key", threading.Barrier(TOGETHER)

    def start(number: int) -> str:
        ready.wait(10)
        return key_files.key_in(path, f"key {number}")

    with ThreadPoolExecutor(TOGETHER) as pool:
        keys = set(pool.map(start, range(TOGETHER)))
    assert len(keys) == 1
    assert list(tmp_path.iterdir()) == [path]


def test_what_a_start_that_was_killed_left_behind_stops_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def die(*_: object) -> None:
        raise KeyboardInterrupt

    path = tmp_path / "secret.key"
    with monkeypatch.context() as killed, pytest.raises(KeyboardInterrupt):
        killed.setattr(Path, "unlink", die)
        killed.setattr(key_files.os, "link", die)
        key_files.key_in(path, "first")
    assert [each.name for each in tmp_path.iterdir()] != ["secret.key"]
    assert key_files.key_in(path, "second") == "second"


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(NotADirectoryError):
        key_files.key_in(tmp_path / "secret.key" / "no folder", key_files.key_in(tmp_path / "secret.key", "a file"))
