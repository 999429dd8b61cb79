"""The lifeline: children of `webapp up` hold one end of a pipe to it, and stop when the other end is gone."""

from __future__ import annotations

import contextlib
import os
import signal
import threading

DESCRIPTOR = "WEBAPP_UP_LIFELINE"  # not a setting: set by `webapp up` for its children


def hold() -> None:
    """Stop this process, as by SIGTERM, when `webapp up` is gone. Does nothing when it was started by somebody else."""
    text = os.environ.pop(DESCRIPTOR, "")
    if text:
        threading.Thread(target=_watch, args=(int(text),), name="lifeline", daemon=True).start()


def _watch(descriptor: int) -> None:
    with contextlib.suppress(OSError):
        os.read(descriptor, 1)
    os.kill(os.getpid(), signal.SIGTERM)
