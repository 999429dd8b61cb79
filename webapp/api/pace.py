"""How often one token may call: counted by the minute of the clock, in each web process for itself.

It guards against a program that runs wild, so a count that several processes share would cost more than it is worth.
"""

from __future__ import annotations

import math
import threading
import time
from collections import Counter

from webapp.models import TooMany

CALLS_A_MINUTE = 30_000  # of one token: five times an honest publisher with 100 calls a second
MINUTE_S = 60
SENTENCE = "That is more calls than one token may make. Come back in %(seconds)s seconds."


class Pace:
    """The calls of each token in this minute."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._minute = 0
        self._calls: Counter[str] = Counter()

    def count(self, token_id: str) -> None:
        """One more call. Raises TooMany from the one on that is too many until the minute is over."""
        now = time.time()
        with self._lock:
            if int(now / MINUTE_S) != self._minute:
                self._minute = int(now / MINUTE_S)
                self._calls.clear()
            self._calls[token_id] += 1
            is_allowed = self._calls[token_id] <= CALLS_A_MINUTE
        if not is_allowed:
            raise TooMany(SENTENCE, retry_after_s=math.ceil(MINUTE_S - now % MINUTE_S))
