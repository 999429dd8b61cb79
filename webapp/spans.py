"""Spans of time as people type them in settings: ``300ms``, ``5s``, ``30m``, ``2h``, ``1d``."""

from __future__ import annotations

from datetime import timedelta

MAX_SPAN = timedelta(days=30)
_UNIT_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}


def parse(text: str) -> timedelta:
    """A span such as ``5s``, ``2h`` or ``20`` (seconds) as a timedelta; raises ValueError with a sentence."""
    number, unit = text.strip().lower(), "s"
    for suffix in _UNIT_SECONDS:
        if number.endswith(suffix):
            number, unit = number.removesuffix(suffix), suffix
            break
    try:
        span = timedelta(seconds=float(number) * _UNIT_SECONDS[unit])
    except (ValueError, OverflowError):
        raise ValueError(f"“{text}” is no span of time; write for example 5s, 30m or 2h") from None
    if not timedelta(0) <= span <= MAX_SPAN:
        raise ValueError(f"“{text}” must lie between 0 and {MAX_SPAN.days} days")
    return span


def text(span: timedelta) -> str:
    """A span as it is typed, in the largest unit up to hours that needs no fraction: ``30m``."""
    seconds = span.total_seconds()
    unit = next((unit for unit in ("h", "m") if seconds and seconds % _UNIT_SECONDS[unit] == 0), "s")
    number = f"{seconds / _UNIT_SECONDS[unit]:.6f}".rstrip("0").rstrip(".")
    return f"{number}{unit}"
