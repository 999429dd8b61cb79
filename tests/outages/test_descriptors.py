"""A process without a free file descriptor: it stops claiming, says so, and goes on when there are some again."""

from __future__ import annotations

import os
import resource
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.chaos.conftest import _prepared_sqlite, zygote
from tests.chaos.installation import Installation, wait_until
from tests.chaos.pairs import SQLITE, Pair, Prepared
from tests.receiver import Receiver
from webapp.delivery.resolving import Resolver

__all__ = ["_prepared_sqlite", "zygote"]


@pytest.fixture
def install(_prepared_sqlite: Prepared, tmp_path: Path) -> Iterator[Callable[..., Installation]]:
    made: list[Installation] = []

    def make(**settings: str) -> Installation:
        made.append(Pair(SQLITE, _prepared_sqlite).install(tmp_path, **settings))
        return made[-1]

    yield make
    for installation in made:
        installation.close(at_once=True)


def leave_only_what_is_open(pid: int) -> tuple[int, int]:
    """Let a process open nothing more; the limits that it had."""
    _, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    return resource.prlimit(pid, resource.RLIMIT_NOFILE, (1 + max(open_files(pid)), hard))


def open_files(pid: int) -> set[int]:
    return {int(path.name) for path in Path(f"/proc/{pid}/fd").iterdir()}


@pytest.mark.proves("F57")
def test_a_worker_without_a_free_descriptor_stops_claiming_and_goes_on_when_there_are_some(
    install: Callable[..., Installation], receiver: Receiver
) -> None:
    here = install(allow_targets=receiver.target)
    here.web()
    here.webhook(receiver.url)
    worker = here.worker()
    limits = leave_only_what_is_open(worker.pid)
    here.publish(40)
    wait_until(lambda: "claiming stops" in here.printed(), 20, "the log says so")
    wait_until(
        lambda: here.rows("SELECT count(*) FROM delivery WHERE lease_until IS NOT NULL") == [(0,)],
        20,
        "what was claimed is given back",
    )
    assert here.printed().count("claiming stops") < 5
    resource.prlimit(worker.pid, resource.RLIMIT_NOFILE, limits)
    wait_until(
        lambda: here.rows("SELECT count(*) FROM delivery WHERE state = 'succeeded'") == [(40,)], 20, "all arrive"
    )
    assert here.rows("SELECT count(*), sum(attempts_made) FROM delivery") == [(40, 40)], "no try was used up"
    assert worker.poll() is None


@pytest.fixture
def no_descriptor() -> Iterator[None]:
    """This process has none left."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    taken = []
    resource.setrlimit(resource.RLIMIT_NOFILE, (64 + max(open_files(os.getpid())), hard))
    try:
        with pytest.raises(OSError, match="Too many open files"):
            while True:
                taken.append(socket.socket())
        yield
    finally:
        for each in taken:
            each.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.proves("F57")
@pytest.mark.usefixtures("no_descriptor")
def test_a_name_is_not_at_fault_when_no_descriptor_is_left(tmp_path: Path) -> None:
    hosts = tmp_path / "hosts"
    resolver = Resolver(["127.0.0.1:9"], hosts)
    with pytest.raises(OSError, match="Too many open files"):
        resolver.resolve("receiver.example", deadline=time.monotonic() + 2)
