"""Worker processes for the tests of the bell, and how to wait for what they do."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from webapp.doorbell import AppHuey, BellLostError, Listener, make_huey

TASK = "test.note"


def until(condition: Callable[[], Any], seconds: float = 40) -> Any:
    deadline = time.monotonic() + seconds
    while not (answer := condition()):
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.002)
    return answer


def noting(url: str, note: Callable[[Any], object]) -> tuple[AppHuey, Callable[[Any], object]]:
    """A huey with one task of the same name in every process of these tests."""
    huey = make_huey(url)

    def run(number: Any) -> None:
        note(number)

    run.__module__ = "test"
    return huey, huey.task(name="note")(run)


def worker_process(url: str, pipe: Any, work_ms: int) -> None:
    """A worker: says where and when each item arrived."""

    def note(number: Any) -> None:
        pipe.send((os.getpid(), number, time.monotonic()))
        time.sleep(work_ms / 1000)

    listener = Listener(noting(url, note)[0])
    listener.start()
    with contextlib.suppress(EOFError):
        pipe.recv()
    listener.stop()


class Worker:
    def __init__(self, url: str, work_ms: int = 0) -> None:
        spawn = multiprocessing.get_context("spawn")
        self.pipe, theirs = spawn.Pipe()
        self.process = spawn.Process(target=worker_process, args=(url, theirs, work_ms), daemon=True)
        self.process.start()
        theirs.close()

    @property
    def pid(self) -> int:
        return self.process.pid or 0

    def arrival(self, seconds: float = 40) -> tuple[int, Any, float]:
        assert self.pipe.poll(seconds), "nothing arrived"
        pid, number, at = self.pipe.recv()
        return pid, number, at

    def stop(self) -> None:
        with contextlib.suppress(OSError):
            self.pipe.send("stop")
        self.process.join(30)
        assert self.process.exitcode is not None, "the worker did not stop"


def bell_sockets(huey: AppHuey) -> list[Path]:
    folder = huey.storage.folder
    return sorted(folder.glob("*.bell")) if folder.exists() else []


def quickest_wake(note: Callable[[Any], object], seen: list[Any]) -> float:
    """Seconds from ringing to the task, the best of a few: the machine may be busy with something else."""

    def once(number: str) -> float:
        begun = time.monotonic()
        note(number)
        until(lambda: seen[-1:] == [number])
        return time.monotonic() - begun

    return min(once(f"wake {number}") for number in range(5))


def quickest_refusal(note: Callable[[Any], object]) -> float:
    """Seconds until a bell is known to be lost, the best of a few."""

    def once() -> float:
        begun = time.monotonic()
        with pytest.raises(BellLostError):
            note("lost")
        return time.monotonic() - begun

    return min(once() for _ in range(3))


def ring_until_seen(note: Callable[[Any], object], number: Any, seen: list[Any]) -> None:
    """A bell may be lost, so it is rung until it is heard."""
    until(lambda: rung(note, number) and number in seen)


def rung(note: Callable[[Any], object], number: Any) -> bool:
    with contextlib.suppress(BellLostError):
        note(number)
    time.sleep(0.05)
    return True
