"""Paces: how fast receivers have answered this worker lately, by webhook. Pure memory.

A slow one may not keep many of its threads; for a quick one it may claim ahead. Forgotten with the process: a slow
receiver is found out again with its first answers.
"""

from __future__ import annotations

SLOW_S = 5.0  # mean time of an attempt from which on a webhook counts as slow
QUICK_S = 0.02  # and up to which as quick
WEIGHT_OF_NEWEST = 0.3
MAX_REMEMBERED = 10_000  # webhooks; beyond, the one that was noted first is forgotten


class Paces:
    """A moving mean of the time that attempts took, by webhook."""

    def __init__(self) -> None:
        self._mean_s: dict[str, float] = {}

    def note(self, webhook_id: str, seconds: float) -> None:
        """An attempt took so long."""
        mean = self._mean_s.get(webhook_id)
        self._mean_s[webhook_id] = seconds if mean is None else mean + WEIGHT_OF_NEWEST * (seconds - mean)
        if len(self._mean_s) > MAX_REMEMBERED:
            del self._mean_s[next(iter(self._mean_s))]

    def is_slow(self, webhook_id: str) -> bool:
        """Whether attempts of this webhook mostly take seconds."""
        return self._mean_s.get(webhook_id, 0.0) >= SLOW_S

    def is_quick(self, webhook_id: str) -> bool:
        """Whether attempts of this webhook are known to take milliseconds."""
        return self._mean_s.get(webhook_id, SLOW_S) <= QUICK_S
