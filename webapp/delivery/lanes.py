"""Lanes: of what a worker has claimed, at most so many of one webhook are on their way at once; the rest waits here.

What waits in its lane stands in nobody's way: a new event for another webhook goes straight to the sender threads.
Lanes are for receivers that answer well and at once; what waits for one that does not can be taken back. Any thread may
say that a claim has ended, so that a lane moves on while the loop waits for the database.
"""

from __future__ import annotations

import threading
from collections import Counter, defaultdict, deque
from collections.abc import Callable

from webapp.delivery.claims import Claim


class Lanes:
    """Hands claims on to `put`, at most `most` of a webhook until some of them have ended."""

    def __init__(self, put: Callable[[Claim], None], *, most: int) -> None:
        self._put = put
        self._most = most
        self._on_the_way: Counter[str] = Counter()
        self._waiting: defaultdict[str, deque[Claim]] = defaultdict(deque)
        self._waiting_in_all = 0
        self._lock = threading.Lock()

    @property
    def waiting(self) -> int:
        """How many wait for room in their lanes."""
        return self._waiting_in_all

    def add(self, claim: Claim) -> None:
        """Send it as soon as its lane has room; what a person asked for needs none."""
        webhook_id = claim.delivery.webhook_id
        with self._lock:
            if claim.is_scheduled and self._on_the_way[webhook_id] >= self._most:
                self._waiting[webhook_id].append(claim)
                self._waiting_in_all += 1
            else:
                self._go(claim)

    def leave(self, claim: Claim) -> None:
        """This one has ended: the next of its webhook may go."""
        webhook_id = claim.delivery.webhook_id
        with self._lock:
            self._on_the_way[webhook_id] -= 1
            waiting = self._waiting.get(webhook_id)
            if waiting and self._on_the_way[webhook_id] < self._most:
                self._waiting_in_all -= 1
                self._go(waiting.popleft())
            elif not self._on_the_way[webhook_id]:
                del self._on_the_way[webhook_id]
                self._waiting.pop(webhook_id, None)

    def clear(self, webhook_id: str) -> list[Claim]:
        """Take back all that waits in the lane of this webhook."""
        with self._lock:
            taken = list(self._waiting.pop(webhook_id, ()))
            self._waiting_in_all -= len(taken)
        return taken

    def clear_old(self, claimed_before: float) -> list[Claim]:
        """Take back all that waits in lanes whose next was claimed before that moment of the monotonic clock."""
        with self._lock:
            old = [key for key, waiting in self._waiting.items() if waiting and waiting[0].at < claimed_before]
        return [claim for webhook_id in old for claim in self.clear(webhook_id)]

    def clear_all(self) -> list[Claim]:
        """Take back all that waits."""
        with self._lock:
            lanes = list(self._waiting)
        return [claim for webhook_id in lanes for claim in self.clear(webhook_id)]

    def _go(self, claim: Claim) -> None:
        self._on_the_way[claim.delivery.webhook_id] += 1
        self._put(claim)
