"""Which storage a queue's URL means."""

# mypy: allow-untyped-calls

from __future__ import annotations

import importlib.util
from typing import Any
from urllib.parse import urlsplit

from huey.storage import BaseStorage, MemoryStorage

from webapp.doorbell.remote import BoundedPostgresStorage, BoundedRedisStorage
from webapp.doorbell.storage import DoorbellStorage

KNOWN = "sqlite:///path, redis://…, rediss://… or postgresql://…"


class QueueUrlError(ValueError):
    """The queue's URL cannot be used; the text says what to change."""


class UnboundStorage(BaseStorage):
    """The storage before create_app() has bound one: tasks can be declared, nothing can be rung."""

    def __init__(self, name: str) -> None:
        super().__init__(name)

    def enqueue(self, data: bytes, priority: float | None = None) -> None:
        """Refuse."""
        raise RuntimeError("huey has no queue yet: bind one with init_app(app, queue_url)")

    def dequeue(self) -> bytes | None:
        """Refuse."""
        raise RuntimeError("huey has no queue yet: bind one with init_app(app, queue_url)")


def storage_for(queue_url: str) -> tuple[type[BaseStorage], dict[str, Any]]:
    """The storage class and its arguments for a queue's URL. Connects to nothing. Raises QueueUrlError.

    As with databases, `sqlite:///queue.db` is in the current folder and `sqlite:////var/queue.db` is absolute.
    """
    scheme = queue_url.partition("://")[0].partition("+")[0]
    if scheme == "sqlite":
        return DoorbellStorage, {"filename": _sqlite_path(queue_url)}
    if scheme in {"redis", "rediss"}:
        _need("redis", "redis")
        _check_address(queue_url)
        return BoundedRedisStorage, {"url": queue_url}
    if scheme in {"postgresql", "postgres"}:
        _need("psycopg", "postgres")
        _check_address(queue_url)
        return BoundedPostgresStorage, {"url": "postgresql://" + queue_url.partition("://")[2]}
    if scheme == "memory":
        return MemoryStorage, {}
    raise QueueUrlError(f"the queue's URL must be {KNOWN}")


def _sqlite_path(queue_url: str) -> str:
    prefix, path = queue_url[: len("sqlite:///")], queue_url[len("sqlite:///") :]
    if prefix != "sqlite:///" or not path or path.startswith(":") or "?" in path:
        raise QueueUrlError("the queue's URL needs the path of a file: sqlite:///queue.db or sqlite:////var/queue.db")
    return path


def _need(module: str, extra: str) -> None:
    if importlib.util.find_spec(module) is None:
        raise QueueUrlError(f"this queue needs a package more: pip install 'blue-webhooks[{extra}]'")


def _check_address(queue_url: str) -> None:
    try:
        urlsplit(queue_url).port  # noqa: B018 - raises for a port that is none
    except ValueError as error:
        raise QueueUrlError(f"the queue's URL has no valid address: {error}") from error
