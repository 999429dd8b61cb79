"""The web role: gunicorn with threads, configured in code."""

from __future__ import annotations

import logging
import resource
from collections.abc import Callable
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger

from webapp.patience import PatientWorker

WORKERS = 2
THREADS = 8
MAX_REQUESTS = 100_000  # a live log asks each second; fewer would restart workers all the time
KEEP_ALIVE_S = 5
GRACEFUL_TIMEOUT_S = 30
MAX_HEAD_LINE_BYTES = 8190
CONNECTIONS = 1000  # of one process; slow ones cost a descriptor each
OTHER_FILES = 200
UNREADABLE = "Invalid request from ip="


class Lines(Logger):
    """gunicorn's own lines, in the form of all others and without what stands behind a question mark."""

    def setup(self, cfg: Any) -> None:
        """Leave the form to whoever configured the process."""
        super().setup(cfg)  # type: ignore[no-untyped-call]
        self.error_log.handlers.clear()
        self.error_log.propagate = True
        self.error_log.addFilter(_without_what_was_sent)


def _without_what_was_sent(record: logging.LogRecord) -> bool:
    """gunicorn quotes the first line of a request that it cannot read, and names the address of one that broke it."""
    if isinstance(record.args, tuple):
        record.args = tuple(arg.partition("?")[0] if isinstance(arg, str) else arg for arg in record.args)
    if str(record.msg).startswith(UNREADABLE):
        record.msg = record.getMessage().partition(": ")[0]
        record.args = ()
    return True


class Server(BaseApplication):
    """A gunicorn that serves what `make` makes, in each of its processes anew."""

    def __init__(self, make: Callable[[], Flask], *, host: str, port: int) -> None:
        self._make = make
        self._options: dict[str, Any] = {
            "bind": f"[{host}]:{port}" if ":" in host else f"{host}:{port}",
            "worker_class": PatientWorker,
            "workers": WORKERS,
            "threads": THREADS,
            "worker_connections": CONNECTIONS,
            "max_requests": MAX_REQUESTS,
            "max_requests_jitter": MAX_REQUESTS // 10,
            "keepalive": KEEP_ALIVE_S,
            "graceful_timeout": GRACEFUL_TIMEOUT_S,
            "limit_request_line": MAX_HEAD_LINE_BYTES,
            "forwarded_allow_ips": "",  # WEBAPP_TRUSTED_PROXIES alone says who may speak for others
            "loglevel": "warning",
            "logger_class": Lines,
            "control_socket_disable": True,
        }
        super().__init__()  # type: ignore[no-untyped-call]

    def load_config(self) -> None:
        """Hand our options to gunicorn; nothing is read from files or the environment."""
        assert self.cfg is not None  # noqa: S101 - made by gunicorn just before; a fact for the type checker
        for name, value in self._options.items():
            self.cfg.set(name, value)
        _allow_files(CONNECTIONS + OTHER_FILES)

    def load(self) -> Flask:
        """The application of one process."""
        return self._make()


def _allow_files(count: int) -> None:
    """Let this process and its children open that many files, where the system sets a lower limit that may rise."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < count:
        most = count if hard == resource.RLIM_INFINITY else min(count, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
