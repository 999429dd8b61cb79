"""Paces: how fast and how well receivers have answered this worker lately, by webhook. Pure memory.

A slow one may not keep many of its threads; for a quick one it may claim ahead, unless it fails. Forgotten with the
process: a slow receiver is found out again with its first answers.
"""

from __future__ import annotations

from collections import Counter

from webapp.delivery.health import PAUSE_AFTER_FAILURES

SLOW_S = 5.0  # mean time of an attempt from which on a webhook counts as slow
QUICK_S = 0.02  # and up to which as quick
WEIGHT_OF_NEWEST = 0.3
MAX_REMEMBERED = 10_000  # webhooks; beyond, the one that was noted first is forgotten


class Paces:
    """A moving mean of the time that attempts took, and how many have failed in a row, by webhook."""

    def __init__(self) -> None:
        self._mean_s: dict[str, float] = {}
        self._failures: Counter[str] = Counter()

    def note(self, webhook_id: str, seconds: float) -> None:
        """An attempt took so long."""
        mean = self._mean_s.get(webhook_id)
        self._mean_s[webhook_id] = seconds if mean is None else mean + WEIGHT_OF_NEWEST * (seconds - mean)
        if len(self._mean_s) > MAX_REMEMBERED:
            oldest = next(iter(self._mean_s))
            del self._mean_s[oldest], self._failures[oldest]

    def note_outcome(self, webhook_id: str, *, is_success: bool) -> None:
        """An attempt succeeded, or did not."""
        if is_success:
            del self._failures[webhook_id]
        else:
            self._failures[webhook_id] += 1

    def is_slow(self, webhook_id: str) -> bool:
        """Whether attempts of this webhook mostly take seconds."""
        return self._mean_s.get(webhook_id, 0.0) >= SLOW_S

    def is_quick(self, webhook_id: str) -> bool:
        """Whether attempts of this webhook are known to take milliseconds, and do not all fail."""
        return self._mean_s.get(webhook_id, SLOW_S) <= QUICK_S and not self.is_failing(webhook_id)

    def is_failing(self, webhook_id: str) -> bool:
        """Whether so many attempts have failed in a row that the webhook is about to be paused."""
        return self._failures[webhook_id] >= PAUSE_AFTER_FAILURES
