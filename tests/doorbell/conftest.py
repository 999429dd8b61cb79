"""A queue, a listener on it, and worker processes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.doorbell.workers import Worker, bell_sockets, noting, until
from webapp.doorbell import AppHuey, Listener


@pytest.fixture
def start_worker() -> Iterator[Callable[..., Worker]]:
    workers: list[Worker] = []

    def start(url: str, **options: Any) -> Worker:
        workers.append(Worker(url, **options))
        return workers[-1]

    yield start
    for worker in workers:
        worker.stop()


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'queue.db'}"


@pytest.fixture
def seen() -> list[Any]:
    return []


@pytest.fixture
def huey_and_note(url: str, seen: list[Any]) -> Iterator[tuple[AppHuey, Callable[[Any], object]]]:
    huey, note = noting(url, seen.append)
    yield huey, note
    huey.storage.close()


@pytest.fixture
def listen() -> Iterator[Callable[[AppHuey], Listener]]:
    """Start a listener that ends with the test."""
    listeners: list[Listener] = []

    def start(huey: AppHuey) -> Listener:
        listeners.append(Listener(huey))
        listeners[-1].start()
        return listeners[-1]

    yield start
    ended = [listener.stop(10) for listener in listeners]
    assert all(ended)


@pytest.fixture
def listening(huey_and_note: Any, listen: Any) -> Listener:
    listener: Listener = listen(huey_and_note[0])
    until(lambda: bell_sockets(huey_and_note[0]))
    return listener
