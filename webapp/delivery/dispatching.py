"""The dispatcher of a worker process: it fans out, claims, and hands claims to a pool of threads that send.

It looks once a second, and at once when the bell rings. No transaction is open while the network is used.
"""

from __future__ import annotations

import logging
import os
import queue
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from flask import Flask
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from webapp.config import Settings
from webapp.delivery import attempting, claiming, fan_out, heartbeats, leases, replaying
from webapp.delivery.claims import Claim
from webapp.delivery.recorder import Recorder
from webapp.delivery.recording import Result
from webapp.delivery.sending import Sender
from webapp.models import database_now

log = logging.getLogger(__name__)

THREADS = 32
READ_AHEAD = 32  # claims that wait for a thread
LOOK_EVERY_S = 1.0
PAUSE_AFTER_ERROR_S = 5.0  # a full disk or a locked database: look again, send nothing meanwhile
BEGIN_WITHIN = 1 / 3  # of the lease, and within the length of one attempt; what has not begun by then is given back

_running: Dispatcher | None = None


def wake() -> None:
    """Tell the dispatcher of this process, where there is one, that there is work."""
    if _running is not None:
        _running.wake()


def _named(claim: Claim) -> dict[str, str]:
    """The ids of what an attempt was about, for the log."""
    return {"delivery": claim.delivery.id, "attempt": claim.attempt_id, "webhook": claim.delivery.webhook_id}


class Dispatcher:
    """The loop of one worker process: `start()`, then `stop()`."""

    def __init__(self, app: Flask, *, threads: int = THREADS) -> None:
        self._app = app
        self._settings: Settings = app.extensions["settings"]
        self._threads = threads
        self.name = f"{socket.gethostname()}:{os.getpid()}"
        self._turn = claiming.Turn(worker=self.name)
        self._bell = threading.Event()
        self._stopping = threading.Event()
        # Nobody waits longer for the last request of a webhook that was switched off than one attempt may take.
        self._begin_within_s = min(
            self._settings.lease_seconds * BEGIN_WITHIN, self._settings.request_timeout.total_seconds()
        )
        self._sender = Sender.from_settings(self._settings)
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="sender")
        self._in_hand = 0  # claims whose outcome is not recorded yet
        self._lock = threading.Lock()
        self._unsent: queue.SimpleQueue[Claim] = queue.SimpleQueue()
        self._recorder = Recorder(app, recorded=self._recorded)
        self._loop = threading.Thread(target=self._run, name="dispatcher", daemon=True)
        self._beat_at = 0.0
        self._quiet_until = 0.0  # nothing is claimed before

    def start(self) -> None:
        """Begin to work."""
        global _running  # noqa: PLW0603
        _running = self
        self._recorder.start()
        self._loop.start()

    def wake(self) -> None:
        """Look at once."""
        self._bell.set()

    @property
    def is_alive(self) -> bool:
        """Whether the threads that everything depends on are running."""
        return self._loop.is_alive() and self._recorder.is_alive

    def stop(self) -> None:
        """Stop claiming, finish what is in flight, record it, give the rest back. Returns when all of that is done."""
        global _running  # noqa: PLW0603
        if _running is self:
            _running = None
        self._stopping.set()
        self._bell.set()
        self._loop.join()
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._recorder.stop()
        self._sender.close()
        with self._app.app_context():
            self._leave()

    def _leave(self) -> None:
        """The last words. Without a database the leases run out, and the beat falls silent."""
        try:
            self._give_back()
            heartbeats.sign_off(self.name)
        except (DBAPIError, PoolTimeout) as error:
            log.warning("could not sign off, the database does not answer: %s", error)

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._bell.clear()
            try:
                with self._app.app_context():
                    wait_s = self._look()
            except Exception:
                log.exception("the look at the database failed; trying again", extra={"pause_s": PAUSE_AFTER_ERROR_S})
                self._stopping.wait(PAUSE_AFTER_ERROR_S)
            else:
                self._bell.wait(wait_s)

    def _look(self) -> float:
        """Do all that is to be done now, the urgent first; returns how long to wait for the next look, in seconds."""
        self._beat()
        self._give_back()
        wait_s = self._work()
        return self._work() if self._tend() else wait_s

    def _work(self) -> float:
        while not self._stopping.is_set():
            fanned_out = fan_out.fan_out() if fan_out.is_waiting() else 0
            wait_s = self._until_due()
            claims = self._claim() if wait_s <= 0 else []
            for claim in claims:
                self._hand_over(claim)
            if not (fanned_out or claims):
                # Due, but not to be had (no free slot, a webhook's cap): what ends in the meantime rings.
                return wait_s if wait_s > 0 else LOOK_EVERY_S
        return 0.0

    def _tend(self) -> bool:
        """What can wait until the urgent is done; whether it made more to do."""
        self._sender.close_idle()
        return leases.expire() + replaying.advance() > 0

    def _until_due(self) -> float:
        due_at = claiming.next_due_at()
        wait_s = LOOK_EVERY_S if due_at is None else (due_at - database_now()).total_seconds()
        return min(wait_s, LOOK_EVERY_S)

    def _beat(self) -> None:
        if time.monotonic() >= self._beat_at:
            heartbeats.beat(self.name, threads=self._threads)
            self._beat_at = time.monotonic() + heartbeats.EVERY_S

    def _claim(self) -> list[Claim]:
        if self._recorder.is_behind or time.monotonic() < self._quiet_until:
            return []
        slots = self._threads + READ_AHEAD - self._in_hand
        return claiming.claim(self._turn, slots=slots, lease=self._settings.lease)

    def _hand_over(self, claim: Claim) -> None:
        with self._lock:
            self._in_hand += 1
        if claim.is_suspect:
            self._turn.is_suspect_in_flight = True
        future = self._pool.submit(self._attempt, claim)
        future.add_done_callback(lambda done: self._put_aside(claim) if done.cancelled() else None)

    def _attempt(self, claim: Claim) -> None:
        is_late = time.monotonic() - claim.at > self._begin_within_s
        if is_late or self._recorder.is_behind:
            self._put_aside(claim)
            return
        try:
            with self._app.app_context():
                self._recorder.put(attempting.attempt(claim, self._sender))
        except OSError as error:  # no file descriptor left: our own trouble, and nothing was sent
            self._keep_quiet(error)
            self._put_aside(claim)
        except Exception:
            log.exception("an attempt ended without an outcome; its lease runs out", extra=_named(claim))
            self._release(claim)

    def _keep_quiet(self, error: OSError) -> None:
        now = time.monotonic()
        if now >= self._quiet_until:
            self._quiet_until = now + PAUSE_AFTER_ERROR_S
            log.error("nothing can be sent, claiming stops: %s. Raise the limit (LimitNOFILE, ulimit -n).", error)

    def _put_aside(self, claim: Claim) -> None:
        """Nothing of it was sent: the loop gives it back."""
        self._unsent.put(claim)
        self._release(claim)

    def _recorded(self, results: list[Result]) -> None:
        for result in results:
            self._release(result.claim)

    def _release(self, claim: Claim) -> None:
        with self._lock:
            self._in_hand -= 1
        if claim.is_suspect:
            self._turn.is_suspect_in_flight = False
        self._bell.set()

    def _give_back(self) -> None:
        unsent = []
        while not self._unsent.empty():
            unsent.append(self._unsent.get_nowait())
        leases.give_back(unsent)
