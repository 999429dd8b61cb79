"""Paces: how fast receivers have answered this worker lately. A slow one may not keep many of its threads. Pure memory.

Forgotten with the process: a slow receiver is found out again with its first answers.
"""

from __future__ import annotations

SLOW_S = 5.0  # mean time of an attempt from which on a webhook counts as slow
WEIGHT_OF_NEWEST = 0.3
MAX_REMEMBERED = 10_000  # webhooks; beyond, the one that was noted first is forgotten


class Paces:
    """A moving mean of the time that attempts took, by webhook; only the slow ones are remembered."""

    def __init__(self) -> None:
        self._mean_s: dict[str, float] = {}

    def note(self, webhook_id: str, seconds: float) -> None:
        """An attempt took so long."""
        mean = self._mean_s.get(webhook_id)
        mean = seconds if mean is None else mean + WEIGHT_OF_NEWEST * (seconds - mean)
        if mean >= SLOW_S:
            self._mean_s[webhook_id] = mean
        else:
            self._mean_s.pop(webhook_id, None)
        if len(self._mean_s) > MAX_REMEMBERED:
            del self._mean_s[next(iter(self._mean_s))]

    def is_slow(self, webhook_id: str) -> bool:
        """Whether attempts of this webhook mostly take seconds."""
        return webhook_id in self._mean_s
