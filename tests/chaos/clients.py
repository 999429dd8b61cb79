"""Clients of the REST API that do as the documentation says: an idempotency key, and again until there is an answer."""

from __future__ import annotations

import http.client
import itertools
import json
import threading
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from tests.chaos.installation import CREATED, Installation

TRY_LIMIT_S = 15.0
GIVE_UP_AFTER_S = 90.0
PAUSE_S = 0.1


@dataclass
class Answers:
    """What the clients saw: the id that each key was answered with, how often they tried, and each other answer."""

    ids: dict[str, str] = field(default_factory=dict)
    tries: int = 0
    others: list[str] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)


class Clients:
    """Several clients with a connection each. `pause_s` is how long one waits between two events."""

    def __init__(self, here: Installation, *, count: int = 8, pause_s: float = 0.0) -> None:
        self._here = here
        self._count = count
        self._pause_s = pause_s
        self._lock = threading.Lock()
        self.answers = Answers()

    def publish(self, keys: Iterable[str]) -> Answers:
        """Publish one event for each key; returns when each is answered with 202."""
        waiting = iter(list(keys))
        with ThreadPoolExecutor(self._count) as pool:
            for each in [pool.submit(self._work, waiting) for _ in range(self._count)]:
                each.result()
        return self.answers

    def _work(self, waiting: Any) -> None:
        connection: http.client.HTTPConnection | None = None
        while True:
            with self._lock:
                key = next(waiting, None)
            if key is None:
                break
            connection = self._publish(key, connection)
            time.sleep(self._pause_s)
        if connection is not None:
            connection.close()

    def _publish(self, key: str, connection: http.client.HTTPConnection | None) -> http.client.HTTPConnection | None:
        deadline = time.monotonic() + GIVE_UP_AFTER_S
        begun = time.monotonic()
        for _ in itertools.takewhile(lambda _: time.monotonic() < deadline, itertools.count()):
            connection = connection or http.client.HTTPConnection("127.0.0.1", self._here.port, timeout=TRY_LIMIT_S)
            try:
                status, body = self._post(key, connection)
            except (OSError, http.client.HTTPException) as error:
                status, body = 0, {"error": type(error).__name__}
                connection.close()
                connection = None
            with self._lock:
                self.answers.tries += 1
                if status == 202:
                    self.answers.ids[key] = body["id"]
                    self.answers.seconds.append(time.monotonic() - begun)
                    return connection
                self.answers.others.append(f"{status} {body.get('error', '')}".strip())
            time.sleep(PAUSE_S)
        raise AssertionError(f"{key} was not answered within {GIVE_UP_AFTER_S} s: {self.answers.others[-3:]}")

    def _post(self, key: str, connection: http.client.HTTPConnection) -> tuple[int, dict[str, Any]]:
        event = {"event": CREATED, "projectId": "p1", "currentValue": {"id": key}}
        headers = {
            "Authorization": f"Bearer {self._here.token}",
            "Content-Type": "application/json",
            "Idempotency-Key": key,
        }
        connection.request("POST", "/api/v1/events", body=json.dumps(event), headers=headers)
        answer = connection.getresponse()
        text = answer.read()
        return answer.status, json.loads(text) if answer.status == 202 else {}
