"""A core for each worker process, while there are enough of them.

Python runs one thread at a time; threads that wander between cores take the lock and the warm caches from each
other, which costs a worker a sixth of its processor time (measured). Only Linux knows how to keep a process on a core.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
from pathlib import Path

_held: list[int] = []  # descriptors of the locks: they end with the process


def keep_one(folder: Path | None = None) -> int | None:
    """Keep this process on a core that no other worker of this user keeps; its number, None where there is none.

    Locks in the temp folder tell who keeps which. A process that may use one core only, or finds all taken, is left as
    it is, and so is one on another system than Linux.
    """
    if not hasattr(os, "sched_setaffinity"):
        return None
    cores = sorted(os.sched_getaffinity(0), reverse=True)
    for core in cores if len(cores) > 1 else []:
        if _take(folder or Path(tempfile.gettempdir()), core):
            os.sched_setaffinity(0, {core})
            return core
    return None


def _take(folder: Path, core: int) -> bool:
    path = folder / f"webapp-{os.geteuid()}-core-{core}.lock"
    try:
        lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        return False
    _held.append(lock)
    return True
