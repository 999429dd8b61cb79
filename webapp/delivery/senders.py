"""The threads of a worker process that send. Few while receivers answer at once, more while they keep them waiting.

Many threads that are all busy only take the interpreter from each other: with receivers that answer within
milliseconds, four send more than thirty-two. So threads are added for those that wait for a receiver, and end again.
"""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Callable

from webapp.delivery.claims import Claim

ACTIVE = 4  # threads that work while none has to wait long
LONG_S = 0.005  # a thread that is at one claim for longer waits for its receiver, so another may work beside it
SHRINK_AFTER_S = 5.0  # without need for more threads than are needed now


class Senders:
    """Hands claims to threads, at most `most`. Any thread may put; the rest but `work` runs in the one that made it."""

    def __init__(self, work: Callable[[Claim], None], *, most: int) -> None:
        self._work = work
        self._most = most
        self._claims: queue.SimpleQueue[Claim | None] = queue.SimpleQueue()
        self._threads: list[_Sender] = []
        self._needed_at = time.monotonic()
        self._is_closed = False

    def put(self, claim: Claim) -> None:
        """Send this one soon."""
        self._claims.put(claim)

    @property
    def has_backlog(self) -> bool:
        """Whether claims wait for a thread: look again soon, perhaps more threads are needed."""
        return not (self._is_closed or self._claims.empty())

    def adjust(self) -> None:
        """Start threads where claims wait for those that wait for receivers; end those that are needed no more."""
        if self._is_closed:
            return
        now = time.monotonic()
        self._threads = [thread for thread in self._threads if thread.is_alive()]
        waiting = sum(thread.busy_since < now - LONG_S for thread in self._threads)
        spare = max(ACTIVE, min(waiting, self._claims.qsize()))  # doubles while that is not enough
        needed = min(self._most, waiting + spare)
        if self._claims.empty():
            self._shrink(needed, now)
            return
        self._needed_at = now
        for _ in range(needed - len(self._threads)):
            self._threads.append(_Sender(self._claims, self._work))

    def close(self) -> list[Claim]:
        """Take back what has not begun; the threads end when they are done with what they are at."""
        if self._is_closed:
            return []
        self._is_closed = True
        left = []
        with contextlib.suppress(queue.Empty):  # the threads go on taking meanwhile
            while True:
                claim = self._claims.get_nowait()
                left += [claim] if claim is not None else []
        for _ in self._threads:
            self._claims.put(None)
        return left

    def join(self) -> None:
        """Close, and wait until all threads have ended."""
        self.close()
        for thread in self._threads:
            thread.join()

    def _shrink(self, needed: int, now: float) -> None:
        if len(self._threads) > needed and now - self._needed_at > SHRINK_AFTER_S:
            self._needed_at = now
            for _ in range(len(self._threads) - needed):
                self._claims.put(None)


class _Sender(threading.Thread):
    def __init__(self, claims: queue.SimpleQueue[Claim | None], work: Callable[[Claim], None]) -> None:
        super().__init__(name="sender", daemon=True)
        self.busy_since = float("inf")
        self._claims = claims
        self._work = work
        self.start()

    def run(self) -> None:
        while (claim := self._claims.get()) is not None:
            self.busy_since = time.monotonic()
            self._work(claim)
            self.busy_since = float("inf")
