"""The intake of a loop: what other threads tell it. It sleeps on while few have come of what can wait for company.

A loop that woke for each outcome would take the interpreter from the threads that send, once for each request.
"""

from __future__ import annotations

import contextlib
import queue
from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")


class Intake(Generic[T]):
    """Any thread puts, one thread takes. Each step is atomic, so that nothing is told and slept over."""

    def __init__(self) -> None:
        self._items: deque[T] = deque()
        self._nudges: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._enough = 1
        self._is_urgent = self._is_asleep = False

    def put(self, item: T, *, is_urgent: bool = False) -> None:
        """Tell the loop; what is urgent wakes it at once."""
        self._items.append(item)
        if is_urgent:
            self._is_urgent = True
        if self._is_asleep and self._has_enough:
            self._is_asleep = False
            self._nudges.put(None)

    def take(self, wait_s: float, *, enough: int = 1) -> list[T]:
        """All that has come, in order: once so many have, or something urgent has, or the time is over."""
        self._enough = enough
        self._is_asleep = True  # before looking: whoever puts from here on nudges
        if wait_s > 0 and not self._has_enough:
            with contextlib.suppress(queue.Empty):
                self._nudges.get(timeout=wait_s)
        self._is_asleep = self._is_urgent = False
        return [self._items.popleft() for _ in range(len(self._items))]

    @property
    def _has_enough(self) -> bool:
        return self._is_urgent or len(self._items) >= self._enough
