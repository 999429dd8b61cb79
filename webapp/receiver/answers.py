"""What an inbox answers, and how many slow answers may wait at once."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from datetime import timedelta

from webapp.models import Inbox, Invalid

LOWEST_STATUS, HIGHEST_STATUS = 200, 599
MAX_DELAY = timedelta(seconds=60)
MAX_RETRY_AFTER = timedelta(days=7)
MAX_BODY_BYTES = 16 * 1024
MAX_WAITING_ANSWERS = 4  # per process; each holds a thread of the web server

_waiting = threading.BoundedSemaphore(MAX_WAITING_ANSWERS)


@dataclass(frozen=True)
class Answer:
    """What goes back to the sender, and after which delay. With `hangs_up` nothing does: the connection is closed."""

    status: int = 200
    delay_ms: int = 0
    retry_after_s: int | None = None
    body: str = ""
    hangs_up: bool = False

    @classmethod
    def of(cls, inbox: Inbox) -> Answer:
        """What this inbox was told to answer."""
        return cls(
            inbox.answer_status, inbox.answer_delay_ms, inbox.answer_retry_after_s, inbox.answer_body, inbox.hangs_up
        )

    @property
    def misbehaves(self) -> bool:
        """Whether a sender takes it for a failure, or has to wait for it."""
        return self.hangs_up or not 200 <= self.status <= 299 or self.delay_ms > 0

    def wait(self) -> None:
        """Sleep for the delay; not at all while MAX_WAITING_ANSWERS others sleep, so that the web server goes on."""
        if self.delay_ms and _waiting.acquire(blocking=False):
            try:
                time.sleep(self.delay_ms / 1000)
            finally:
                _waiting.release()

    def check(self) -> None:
        """Raise Invalid, with all fields that break a rule."""
        errors = []
        if not LOWEST_STATUS <= self.status <= HIGHEST_STATUS:
            errors.append(Invalid("status", "The status must lie between 200 and 599."))
        if not 0 <= self.delay_ms <= MAX_DELAY // timedelta(milliseconds=1):
            errors.append(Invalid("delay", "The delay must lie between 0 and 60 seconds."))
        if self.retry_after_s is not None and not 0 <= self.retry_after_s <= MAX_RETRY_AFTER.total_seconds():
            errors.append(Invalid("retry_after", "Retry-After must lie between 0 and 604800 seconds (7 days)."))
        if len(self.body.encode()) > MAX_BODY_BYTES:
            errors.append(Invalid("body", "The body may have at most 16 KB."))
        if "\0" in self.body:
            errors.append(Invalid("body", "Leave out the control characters."))
        if errors:
            raise Invalid.many(errors)
