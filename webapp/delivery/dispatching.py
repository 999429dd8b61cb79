"""The dispatcher of a worker process: one thread that fans out, claims and records, beside threads that send.

It looks once a second, and at once when the bell rings or an outcome comes in. On SQLite this thread does all that
touches the database: a process never waits for its own locks. On PostgreSQL another one records. What cannot be
recorded is not followed by new claims, and no transaction is open while the network is used.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections.abc import Sequence
from enum import Enum
from functools import partial

from flask import Flask
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from webapp.config import Settings
from webapp.delivery import attempting, claiming, fan_out, heartbeats, leases, orphans, replaying
from webapp.delivery.attempting import NoOutcome
from webapp.delivery.claims import Claim
from webapp.delivery.hand import Hand
from webapp.delivery.intake import Intake
from webapp.delivery.recorder import Recorder
from webapp.delivery.recorder_thread import RecorderThread
from webapp.delivery.recording import Result
from webapp.delivery.senders import Senders
from webapp.delivery.sending import Sender

log = logging.getLogger(__name__)

THREADS = 256  # at most; most are only started when receivers keep claims waiting
READ_AHEAD = 32  # claims that wait for a thread
RESERVED_SHARE = 1 / 2  # of all slots: neither lent nor given to slow receivers
LOOK_EVERY_S = 1.0
TOGETHER = 16  # outcomes: half of what may be on its way to one webhook
ADJUST_EVERY_S = 0.005  # while claims wait for a thread
PAUSE_AFTER_ERROR_S = 5.0  # a full disk or a locked database: look again, send nothing meanwhile
BEGIN_WITHIN = 1 / 3  # of the lease, and within the length of one attempt; what has not begun by then is given back

_running: Dispatcher | None = None


def wake() -> None:
    """Tell the dispatcher of this process, where there is one, that there is work."""
    if _running is not None:
        _running.wake()


class _Call(Enum):
    BELL = "look at once"


class Dispatcher:
    """The loop of one worker process: `start()`, then `stop()`."""

    def __init__(self, app: Flask, *, threads: int = THREADS) -> None:
        self._app = app
        self._settings: Settings = app.extensions["settings"]
        self._threads = threads
        slots = threads + READ_AHEAD
        self.name = f"{socket.gethostname()}:{os.getpid()}"
        self._turn = claiming.Turn(worker=self.name, reserve=int(slots * RESERVED_SHARE))
        self._sender = Sender.from_settings(self._settings)
        self._senders = Senders(self._attempt, most=threads)
        self._intake: Intake[Result | NoOutcome | list[Result] | _Call] = Intake()
        self._stopping = threading.Event()
        # Nobody waits longer for the last request of a webhook that was switched off than one attempt may take.
        self._begin_within_s = min(
            self._settings.lease_seconds * BEGIN_WITHIN, self._settings.request_timeout.total_seconds()
        )
        self._loop = threading.Thread(target=self._run, name="dispatcher", daemon=True)
        # The rest belongs to the loop. Moments are those of the monotonic clock; 0 is "now".
        self._recorder = Recorder()
        self._hand = Hand(self._turn, slots=slots, send=self._senders.put)
        self._recorder_thread: RecorderThread | None = None
        if not self._settings.is_sqlite:
            tell = partial(self._intake.put, is_urgent=True)
            self._recorder_thread = RecorderThread(app, in_hand=lambda: self._hand.count, tell=tell)
        self._is_rung = False  # new events are expected
        self._is_due_to_look = self._is_due_to_tend = self._is_replaying = True
        self._claim_at = self._look_at = self._beat_at = self._quiet_until = 0.0

    def start(self) -> None:
        """Begin to work."""
        global _running  # noqa: PLW0603
        _running = self
        if self._recorder_thread is not None:
            self._recorder_thread.start()
        self._loop.start()

    def wake(self) -> None:
        """Look at once."""
        self._intake.put(_Call.BELL, is_urgent=True)

    @property
    def is_alive(self) -> bool:
        """Whether the threads that everything depends on are running."""
        has_recorder = self._recorder_thread is None or self._recorder_thread.is_alive
        return self._loop.is_alive() and has_recorder

    def stop(self) -> None:
        """Stop claiming, finish what is in flight, record it, give the rest back. Returns when all of that is done."""
        global _running  # noqa: PLW0603
        if _running is self:
            _running = None
        self._stopping.set()
        self.wake()
        self._loop.join()
        if self._recorder_thread is not None:
            self._recorder_thread.stop()
        self._senders.join()
        self._sender.close()

    def _run(self) -> None:
        while self._hand.count or not self._stopping.is_set():
            self._receive(self._wait_s())
            try:
                with self._app.app_context():
                    self._work()
            except Exception:
                log.exception("the look at the database failed; trying again", extra={"pause_s": PAUSE_AFTER_ERROR_S})
                self._quiet_until = time.monotonic() + PAUSE_AFTER_ERROR_S
        with self._app.app_context():
            self._leave()

    def _leave(self) -> None:
        """The last words. Without a database the leases run out, and the beat falls silent."""
        try:
            leases.give_back(self._hand.unsent)
            self._recorder.draw_proven()
            heartbeats.sign_off(self.name)
        except (DBAPIError, PoolTimeout) as error:
            log.warning("could not sign off, the database does not answer: %s", error)

    def _wait_s(self) -> float:
        """How long to wait for a call or an outcome."""
        now = time.monotonic()
        moments = [self._look_at, self._recorder.due_at]
        if self._is_looking and (self._is_rung or self._is_due_to_look):
            moments.append(now)
        if self._has_room:
            moments.append(now if self._hand.has_released else self._claim_at)
        if self._senders.has_backlog:
            moments.append(now + ADJUST_EVERY_S)
        return max(0.0, min(moments) - now)

    def _receive(self, wait_s: float) -> None:
        """Take what comes within that time. An outcome wakes at once, those that follow it come together."""
        enough = 1 if self._hand.awaited == self._hand.count else max(1, min(self._hand.awaited, TOGETHER))
        for item in self._intake.take(wait_s, enough=enough):
            self._take(item)

    def _take(self, item: Result | NoOutcome | list[Result] | _Call) -> None:
        if isinstance(item, Result):
            if self._recorder_thread is None:
                self._recorder.add(item)
            self._hand.note(item.claim, item.outcome)
        elif isinstance(item, list):
            self._let_go(item)
        elif isinstance(item, NoOutcome):
            self._hand.drop(item.claim, is_unsent=item.is_unsent)
        else:
            self._is_rung = True

    def _work(self) -> None:
        """All that is to be done now, new events first: somebody waits for them."""
        now = time.monotonic()
        if self._stopping.is_set():
            self._hand.leave_all(self._senders.close)
        if now >= self._look_at:
            self._look_at = now + LOOK_EVERY_S
            self._senders.adjust()
            self._sender.close_idle()
            self._hand.leave_late(now)
            self._is_due_to_look = self._is_due_to_tend = True
        if now >= self._quiet_until:
            self._find_work()
        self._finish()

    def _find_work(self) -> None:
        if self._is_due_to_tend:
            self._is_due_to_tend = False
            self._beat()
            leases.expire()
            self._recorder.draw_proven()
            self._turn.orphaned = orphans.count()
            self._is_replaying = True
            self._claim_at = 0.0
        if self._hand.has_released:
            self._hand.has_released = False
            self._claim_at = 0.0
        if not self._stopping.is_set():
            self._find_events()
        if self._has_room and time.monotonic() >= self._claim_at:
            self._claim(fanning_out=self._is_rung)
        if self._is_replaying and not self._stopping.is_set():  # last: what is due anyway goes first
            self._is_replaying = False
            self._claim_at = 0.0 if replaying.advance() else self._claim_at

    def _find_events(self) -> None:
        """The bell is believed: the claim fans out without a look before it. The clock is not."""
        if self._is_due_to_look and not self._is_rung:
            self._is_due_to_look = False
            self._is_rung = fan_out.is_waiting()
        if self._is_rung:
            self._claim_at = 0.0
            if not self._has_room:
                self._is_due_to_look = fan_out.fan_out() > 0
                self._is_rung = False

    @property
    def _is_looking(self) -> bool:
        """Whether to look for new work at all: not after an error, and not while outcomes cannot be recorded."""
        is_free = not (self._stopping.is_set() or self._is_behind)
        return is_free and time.monotonic() >= self._quiet_until

    @property
    def _has_room(self) -> bool:
        """Whether more may be claimed."""
        return self._hand.free > 0 and self._is_looking

    def _claim(self, *, fanning_out: bool) -> None:
        slots = self._hand.free
        wait_s = 0.0 if fanning_out or self._turn.left_behind else self._until_due()
        claims = []
        if wait_s <= 0:
            claims = claiming.claim(
                self._turn, slots=slots, lease=self._settings.lease, ahead=self._hand.ahead, fanning_out=fanning_out
            )
        if fanning_out:
            self._is_rung = self._turn.is_fan_out_full
        self._hand.hold(claims)
        if claims:
            self._senders.adjust()
        if len(claims) >= min(slots, claiming.MAX_CLAIMS) or (claims and self._turn.has_more(claims[0].is_suspect)):
            return
        if self._turn.left_behind:
            wait_s = 0.0
        elif claims or fanning_out:
            wait_s = self._until_due()
        # What is due and yet not to be had (a webhook's cap) waits for what ends in the meantime.
        most_s = claiming.LOCKED_OUT_S if self._turn.is_locked_out else LOOK_EVERY_S
        self._claim_at = time.monotonic() + (min(wait_s, LOOK_EVERY_S) if wait_s > 0 else most_s)

    def _until_due(self) -> float:
        wait = claiming.until_due()
        return LOOK_EVERY_S if wait is None else wait.total_seconds()

    def _finish(self) -> None:
        """Record what was sent, give back what was not."""
        if self._recorder.is_due(self._hand.count):
            self._let_go(self._recorder.record())
        if self._hand.unsent:
            leases.give_back(self._hand.unsent)
            self._hand.unsent = []
            self._claim_at = 0.0
        if self._senders.has_backlog:
            self._senders.adjust()

    def _let_go(self, recorded: Sequence[Result]) -> None:
        done = [result.claim for result in recorded]
        self._is_replaying |= any(claim.redelivery_seq is not None for claim in done)
        self._hand.let_go(done)

    @property
    def _is_behind(self) -> bool:
        """Whether outcomes cannot be recorded at the moment."""
        return (self._recorder_thread or self._recorder).is_behind

    def _beat(self) -> None:
        if time.monotonic() >= self._beat_at:
            heartbeats.beat(self.name, threads=self._threads)
            self._beat_at = time.monotonic() + heartbeats.EVERY_S

    def _attempt(self, claim: Claim) -> None:
        """In a thread of the senders."""
        if time.monotonic() - claim.at > self._begin_within_s or self._is_behind:
            self._intake.put(NoOutcome(claim, is_unsent=True))
            return
        ended = attempting.attempt_in_thread(claim, self._sender)
        if isinstance(ended, NoOutcome) and ended.error is not None:
            self._keep_quiet(ended.error)  # before the loop claims another
        self._intake.put(ended)
        if isinstance(ended, NoOutcome):
            return
        if self._recorder_thread is not None:
            self._recorder_thread.put(ended)
        self._hand.move_on(claim, ended.outcome)

    def _keep_quiet(self, error: OSError) -> None:
        now = time.monotonic()
        if now >= self._quiet_until:
            self._quiet_until = now + PAUSE_AFTER_ERROR_S
            log.error("nothing can be sent, claiming stops: %s. Raise the limit (LimitNOFILE, ulimit -n).", error)
