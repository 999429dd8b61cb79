"""The bell between real processes."""

from __future__ import annotations

import multiprocessing.connection
import os
import random
import signal
import statistics
import subprocess
import sys
import time
from typing import Any

from tests.doorbell.workers import bell_sockets, noting, until
from webapp.doorbell import sockets
from webapp.doorbell.storage import MAX_WAIT


def test_a_ring_wakes_a_waiting_process_long_before_its_next_look(url: str, start_worker: Any) -> None:
    huey, note = noting(url, print)
    worker = start_worker(url)
    until(lambda: bell_sockets(huey))
    latencies = []
    for number in range(60):
        time.sleep(random.uniform(0.001, 0.02))  # irregular gaps are what is tried here
        rung_at = time.monotonic()
        note(number)
        latencies.append(worker.arrival()[2] - rung_at)
    assert statistics.median(latencies) < MAX_WAIT / 10


def test_each_item_is_taken_by_exactly_one_of_two_processes(url: str, start_worker: Any) -> None:
    huey, note = noting(url, print)
    workers = [start_worker(url, work_ms=5), start_worker(url, work_ms=5)]
    until(lambda: len(bell_sockets(huey)) == 2)
    for number in range(100):
        note(number)
    pipes = {worker.pipe for worker in workers}
    arrived: list[tuple[int, int, float]] = []
    while len(arrived) < 100:
        ready = multiprocessing.connection.wait(list(pipes), timeout=10)
        assert ready, "an item was lost"
        arrived += [pipe.recv() for pipe in ready]  # type: ignore[union-attr]
    assert sorted(number for _, number, _ in arrived) == list(range(100))
    assert {pid for pid, _, _ in arrived} == {worker.pid for worker in workers}
    assert not multiprocessing.connection.wait(list(pipes), timeout=0.2)


def test_both_waiting_processes_are_woken_by_one_ring(url: str, start_worker: Any) -> None:
    huey, _ = noting(url, print)
    start_worker(url), start_worker(url)
    until(lambda: len(bell_sockets(huey)) == 2)
    assert sockets.ring(huey.storage.folder) == 2


def test_the_socket_of_a_killed_process_is_removed_by_the_next_ring(url: str, start_worker: Any) -> None:
    huey, note = noting(url, print)
    killed, kept = start_worker(url), start_worker(url)
    until(lambda: len(bell_sockets(huey)) == 2)
    os.kill(killed.pid, signal.SIGKILL)
    killed.process.join(5)
    assert len(bell_sockets(huey)) == 2
    note(1)
    assert kept.arrival()[:2] == (kept.pid, 1)
    assert [int(path.name.split("-")[0]) for path in bell_sockets(huey)] == [kept.pid]


def test_a_process_that_stops_leaves_nothing_in_the_temp_folder(url: str, start_worker: Any) -> None:
    huey, _ = noting(url, print)
    worker = start_worker(url)
    until(lambda: bell_sockets(huey))
    worker.stop()
    assert not huey.storage.folder.exists()


def test_a_forked_child_uses_nothing_of_its_parent(url: str) -> None:
    script = f"""
import os
from webapp.doorbell import make_huey
huey = make_huey({url!r})
storage = huey.storage
storage.enqueue(b"parent 1")
assert storage.dequeue() == b"parent 1"
mine = os.listdir(storage.folder)
child = os.fork()
if child == 0:
    storage.enqueue(b"child 1")
    assert storage.dequeue() == b"child 1"
    assert len(os.listdir(storage.folder)) == 2
    storage.close()
    assert os.listdir(storage.folder) == mine
    storage.enqueue(b"child 2")
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
assert storage.dequeue() == b"child 2"
storage.enqueue(b"parent 2")
assert storage.dequeue() == b"parent 2"
assert os.listdir(storage.folder) == mine
storage.close()
"""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-W", "error", "-c", script], check=True, timeout=60, env=environment)
