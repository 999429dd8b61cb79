"""huey inside Flask: made at import, bound to a queue in create_app(), tasks run in the application's context."""

# mypy: allow-untyped-calls

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from huey.api import Huey, Task
from huey.exceptions import HueyException
from huey.registry import Message

from webapp.doorbell.items import JsonSerializer, UnreadableItemError
from webapp.doorbell.queues import UnboundStorage, storage_for

if TYPE_CHECKING:
    from flask import Flask

log = logging.getLogger(__name__)


class AppHuey(Huey):
    """A huey without results whose tasks can be declared before its queue is known.

    `init_app` binds an application and its queue; the newest one wins, so that tests may make many. What lies in the
    queue is JSON; what cannot be read is dropped with a warning.
    """

    def __init__(self, name: str = "blue-webhooks") -> None:
        self.app: Flask | None = None
        super().__init__(name, results=False, utc=True, serializer=JsonSerializer(), storage_class=UnboundStorage)

    def init_app(self, app: Flask, queue_url: str) -> None:
        """Bind the application and its queue. Connects to nothing. Raises QueueUrlError and changes nothing then."""
        self.bind(queue_url)
        self.app = app
        app.extensions["huey"] = self

    def bind(self, queue_url: str) -> None:
        """Bind the queue alone: a storage as `storage_for` chooses it. Raises QueueUrlError."""
        storage_class, storage_kwargs = storage_for(queue_url)
        former = self.storage
        self.storage_class, self.storage_kwargs = storage_class, storage_kwargs
        self.storage = self.create_storage()
        former.close()

    def dequeue(self) -> Task | None:
        """The next task, or None when there is none or what was there could not be read."""
        try:
            task: Task | None = super().dequeue()
        except UnreadableItemError as error:
            log.warning("dropped something from the queue that cannot be read: %s", error)
            return None
        return task

    def deserialize_task(self, data: Any) -> Task:
        """The task of an item. Raises UnreadableItemError, also for a task that this version does not know."""
        item = self.serializer.deserialize(data)
        if not isinstance(item, Message):
            raise UnreadableItemError("it is no task")
        try:
            task: Task = self._registry.create_task(item)
        except HueyException as error:
            raise UnreadableItemError(f"its task {item.name[:80]!r} is not known here") from error
        return task

    def execute(self, task: Task, timestamp: datetime | None = None) -> Any:
        """Run a task in a fresh context of the application; what it raises is logged by huey."""
        context = self.app.app_context() if self.app is not None else contextlib.nullcontext()
        with context:
            return super().execute(task, timestamp)

    def set_aside(self, act: Callable[[], object]) -> None:
        """Run what may take long in a thread of its own, in the application's context; nothing while it runs already.

        It ends with the process, wherever it is: what it does must bear that. What it raises is logged.
        """
        name = f"aside: {act.__module__}.{act.__qualname__}"
        if all(thread.name != name for thread in threading.enumerate()):
            threading.Thread(target=self._run_aside, args=(act,), name=name, daemon=True).start()

    def _run_aside(self, act: Callable[[], object]) -> None:
        try:
            with self.app.app_context() if self.app is not None else contextlib.nullcontext():
                act()
        except Exception:
            log.exception("%s.%s ended early", act.__module__, act.__qualname__)


def make_huey(queue_url: str, *, name: str = "blue-webhooks", app: Flask | None = None) -> AppHuey:
    """A huey that is bound already. Raises QueueUrlError."""
    huey = AppHuey(name)
    if app is None:
        huey.bind(queue_url)
    else:
        huey.init_app(app, queue_url)
    return huey
