"""One installation under load, what befalls it, and the verdict: web, workers and a receiver, kills, the reconciler."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sqlite3
import time
from collections.abc import Collection, Iterator
from typing import Any

from tests.chaos import crash_points, evidence, reconciler
from tests.chaos.installation import Installation, Process, children, wait_until
from tests.chaos.pairs import NAMES, SQLITE, Pair
from tests.chaos.receiver import ReceiverProcess
from tests.chaos.report import Line, Report

LEASE_S = 6
DEADLINE_S = 2
WEBHOOKS = 4  # one alone would be served by one worker mostly
UNSETTLED = "SELECT count(*) FROM delivery WHERE state = 'pending' OR lease_until IS NOT NULL"
NOT_FANNED_OUT = "SELECT count(*) FROM event WHERE fanned_out_at IS NULL"


class Scenario:
    """Begins with `begin()`, ends with `conclude()`. In between processes are killed, stopped and started."""

    def __init__(self, pair: Pair, here: Installation, arrivals: ReceiverProcess, report: Report) -> None:
        self.pair = pair
        self.here = here
        self.arrivals = arrivals
        self._report = report
        self.web: Process
        self.workers: list[Process] = []
        self.webhooks: list[str] = []
        self.accepted: list[str] = []
        self.kills = 0
        self.bound = 0  # what was claimed and not recorded at the kills
        self._begun_at = time.monotonic()

    def begin(
        self, *, workers: int = 2, webhooks: int = WEBHOOKS, delay: float = 0.03, crash_web_at: str | None = None
    ) -> None:
        """Start web and workers; several webhooks want every event, and their receiver takes its time."""
        self.start_web(crash_web_at)
        self.start_workers(workers)
        self.here.wait_for_web()
        self.add_webhooks(webhooks, delay)
        self._begun_at = time.monotonic()

    def start_web(self, crash_at: str | None = None) -> None:
        """Start web; `crash_at` is where each of its processes kills itself, once `arm()` was called."""
        arguments = ("web", "--port", str(self.here.port))
        self.web = self.crashing(crash_at, *arguments) if crash_at else self.here.start(*arguments)

    def kill_web(self) -> None:
        """SIGKILL everything of web, as a machine that runs out of memory may."""
        for pid in [self.web.pid, *children(self.web.pid)]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.web.wait()
        self.kills += 1

    def kill_a_process_of_web(self) -> None:
        """SIGKILL one of the processes that answer; web starts another."""
        for pid in children(self.web.pid)[:1]:
            os.kill(pid, signal.SIGKILL)
            self.kills += 1

    def add_webhooks(self, count: int = WEBHOOKS, delay: float = 0.03) -> None:
        """Webhooks of a path each."""
        for _ in range(count):
            path = f"/{len(self.webhooks)}"
            self.arrivals.answers(path, delay=delay)
            self.webhooks.append(self.here.webhook(self.arrivals.url(path)))

    def start_workers(self, count: int) -> None:
        """Start workers side by side, and wait until all work."""
        started = [self.here.start("worker") for _ in range(count)]
        for worker in started:
            self.here.wait_for_worker(worker)
        self.workers += started

    def publish(self, deliveries: int) -> None:
        """Publish so many events that there will be as many deliveries."""
        self.accepted += self.here.publish(deliveries // len(self.webhooks))

    def crashing(self, point: str, *arguments: str) -> Process:
        """Start a command that kills itself at a crash point, once `arm()` was called."""
        return self.here.start(
            point, "--", *arguments, module="tests.chaos.crash_points"
        )  # fmt: skip

    def arm(self) -> None:
        """From now on crash points are live."""
        (self.here.folder / crash_points.ARMED).touch()

    def disarm(self) -> None:
        """Crash points do nothing any more."""
        (self.here.folder / crash_points.ARMED).unlink(missing_ok=True)

    def crashes(self) -> int:
        """How often a process killed itself."""
        file = self.here.folder / crash_points.CRASHES
        return len(file.read_text().splitlines()) if file.exists() else 0

    def wait_for_crash(self, process: Process, within: float = 30.0) -> None:
        """Wait until a process has killed itself; what it had claimed may arrive twice."""
        wait_until(lambda: process.poll() is not None, within, f"it is killed\n{self.here.printed()[-2000:]}")
        assert process.returncode == -signal.SIGKILL, process.returncode
        self._count_kill(process)

    def kill(self, worker: Process) -> None:
        """SIGKILL a worker; what it had claimed and not recorded may arrive twice."""
        worker.kill()
        worker.wait()
        self._count_kill(worker)

    def kill_and_replace(self, number: int) -> None:
        """SIGKILL one of the workers, and start another in its place without waiting for it."""
        self.kill(self.workers[number])
        self.workers[number] = self.here.start("worker")

    def stop(self, worker: Process, within: float) -> float:
        """SIGTERM a worker; how many seconds it took to end properly."""
        begun = time.monotonic()
        worker.terminate()
        assert worker.wait(timeout=within) == 0, self.here.printed()[-2000:]
        return time.monotonic() - begun

    def wait_until_settled(self, within: float) -> None:
        """Wait until every event is fanned out and no delivery waits or is under way."""
        wait_until(
            lambda: self.here.rows(NOT_FANNED_OUT) == [(0,)] and self.here.rows(UNSETTLED) == [(0,)],
            within,
            f"everything is settled; {self.here.rows(UNSETTLED)} are not",
            every=0.2,
        )

    def conclude(
        self,
        name: str,
        *,
        kills: int | None = None,
        bound: int | None = None,
        but: Collection[str] = (),
        note: str = "",
        **more: Any,
    ) -> reconciler.Figures:
        """Reconcile, add a line to the report, and fail with all that is wrong."""
        lasted = time.monotonic() - self._begun_at
        bound = self.bound if bound is None else bound
        found = evidence.gather(
            self.here, self.arrivals, accepted=self.accepted, wanted_by=self.webhooks, bound=bound, **more
        )
        figures = reconciler.figures(found)
        note = note or f"{figures.unknown} outcomes unknown"
        shown = (figures.deliveries, self.kills if kills is None else kills, figures.lost, figures.duplicates)
        self._report(Line(name, NAMES[self.pair.name], *shown, bound, lasted, note))
        assert reconciler.wrong(found, but=but) == []
        assert figures.lost == 0, figures
        assert self._tracebacks() == []
        if self.pair.name == SQLITE:
            assert self.here.rows("PRAGMA integrity_check") == [("ok",)]
        return figures

    def _tracebacks(self) -> list[str]:
        """What was not foreseen."""
        return [line for line in self.here.printed().splitlines() if "Traceback" in line]

    @contextlib.contextmanager
    def nobody_writing(self) -> Iterator[None]:
        """Hold SQLite's write lock meanwhile; elsewhere rows are locked one by one, and none of those is waited for."""
        if self.pair.name != SQLITE:
            yield
            return
        with contextlib.closing(
            sqlite3.connect(self.here.folder / "instance" / "app.db", isolation_level=None)
        ) as lock:
            lock.execute("BEGIN IMMEDIATE")
            yield
            lock.execute("ROLLBACK")

    def unrecorded_of(self, worker: Process) -> int:
        """How much a worker has claimed and not recorded."""
        return evidence.unrecorded(self.here, f"{socket.gethostname()}:{worker.pid}")

    def _count_kill(self, process: Process) -> None:
        self.kills += 1
        self.bound += self.unrecorded_of(process)
