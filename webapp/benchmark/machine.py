"""What the figures were measured on."""

from __future__ import annotations

import os
import platform
import sqlite3
import sys
import time
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from webapp.config import VERSION, Settings
from webapp.extensions import db

BUSY_FROM = 0.5  # of the cores, in the load of the last minute
FLUSHES = 50


def describe(settings: Settings) -> dict[str, Any]:
    """Processor, cores, versions, and how busy it is. Belongs before the measurement."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    load = os.getloadavg()[0]
    return {
        "version": VERSION,
        "processor": _processor(),
        "cores": cores,
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "database": f"SQLite {sqlite3.sqlite_version}" if settings.is_sqlite else "PostgreSQL",
        "queue": settings.queue_url.partition("://")[0],
        "load": round(load, 2),
        "is_busy": load > cores * BUSY_FROM,
    }


def database_version() -> str:
    """The database's own word, which needs an open context of the application."""
    if db.engine.dialect.name == "sqlite":
        return f"SQLite {sqlite3.sqlite_version}"
    version = db.session.scalar(sa.text("SHOW server_version"))
    db.session.rollback()
    return f"PostgreSQL {version}"


def flush_ms(folder: Path) -> float:
    """How long the disk takes to keep 4 KiB (fsync), in ms: every commit waits for one."""
    path = folder / "flush"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        began = time.perf_counter()
        for _ in range(FLUSHES):
            os.pwrite(descriptor, b"x" * 4096, 0)
            os.fsync(descriptor)
        return (time.perf_counter() - began) / FLUSHES * 1000
    finally:
        os.close(descriptor)
        path.unlink()


def _processor() -> str:
    if sys.platform == "linux":
        for line in Path("/proc/cpuinfo").read_text(errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
