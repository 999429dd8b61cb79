"""Publishing at a measured pace: inside a transaction as a page does, and over REST as another application does."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from webapp.benchmark.asking import Api
from webapp.benchmark.stage import Place, Stage
from webapp.delivery import outbox, payloads
from webapp.extensions import db
from webapp.models import transaction

EVENT_TYPE = "TODO_NAME_CHANGED"
CALLERS = 4  # connections of the publisher, so that a slow answer does not hold up the next call
VALUE: dict[str, Any] = {
    "id": "bench-record",
    "uid": "0123456789abcdef0123456789abcdef",
    "title": "Record of the benchmark, whose values make a body of about one kilobyte",
    "position": 65535,
    "done": False,
    "archived": False,
    "createdAt": "2026-01-01T00:00:00.000Z",
    "updatedAt": "2026-01-01T00:00:00.000Z",
    "text": "lorem ipsum dolor sit amet " * 3,
    "todoListId": "bench-list",
}


@dataclass(frozen=True)
class Published:
    """One call to publish: the events, when it began and when it was answered (or committed), on the clock in ns."""

    event_ids: list[str]
    began_ns: int
    done_ns: int


def publish(stage: Stage, place: Place, count: int = 1) -> Published:
    """Publish so many events in one transaction of this process; `done_ns` is the moment of its commit."""
    moments: list[int] = []
    body = payloads.to_json(VALUE)
    session = db.session()
    began = time.time_ns()

    def note(_: Any) -> None:
        moments.append(time.time_ns())

    sa.event.listen(session, "after_commit", note, once=True)
    with transaction():
        project, by_id = place.project, stage.person.id
        one = outbox.Publication(EVENT_TYPE, project.id, project.company_id, by_id, body, body, VALUE["id"])
        ids = outbox.publish_many([one] * count)
    return Published(ids, began, moments[0])


def body_of(place: Place, count: int | None = None) -> bytes:
    """The body of POST /events, or of POST /events/batch with so many events."""
    event = {"event": EVENT_TYPE, "projectId": place.project.id, "previousValue": VALUE, "currentValue": VALUE}
    return json.dumps(event if count is None else {"events": [event] * count}).encode()


def post(api: Api, body: bytes) -> Published:
    """Publish one event over REST."""
    began = time.time_ns()
    answer = api.send("POST", "/events", body)
    return Published([answer["id"]], began, time.time_ns())


def post_batch(api: Api, body: bytes) -> Published:
    """Publish a batch over REST."""
    began = time.time_ns()
    answer = api.send("POST", "/events/batch", body)
    return Published(answer["ids"], began, time.time_ns())


def at_pace(act: Callable[[], Published], *, per_second: float, seconds: float) -> list[Published]:
    """Act so often, at even times. One that is late because the one before took long has begun when it was due."""
    begin, done = time.time_ns(), []
    for turn in range(int(per_second * seconds)):
        due = begin + int(turn * 1e9 / per_second)
        now = time.time_ns()
        if now < due:
            time.sleep((due - now) / 1e9)
            done.append(act())
        else:
            late = act()
            done.append(Published(late.event_ids, due, late.done_ns))
    return done


def look(api: Api) -> Published:
    """Ask the web process for what costs it nothing: what a call takes on this machine before anything is published."""
    began = time.time_ns()
    api.look()
    return Published([], began, time.time_ns())


def post_at_pace(stage: Stage, place: Place, *, per_second: float, seconds: float) -> list[Published]:
    """POST /events so often, from several connections that take turns."""
    body = body_of(place)
    return call_at_pace(stage, lambda api: post(api, body), per_second=per_second, seconds=seconds)


def call_at_pace(
    stage: Stage, act: Callable[[Api], Published], *, per_second: float, seconds: float
) -> list[Published]:
    """Make a call so often, from several connections that take turns."""
    done: list[Published] = []
    failures: list[BaseException] = []

    def call(delay_s: float) -> None:
        api = Api(stage.web_port, stage.token)
        try:
            time.sleep(delay_s)
            done.extend(at_pace(lambda: act(api), per_second=per_second / CALLERS, seconds=seconds))
        except Exception as error:  # noqa: BLE001 - raised below, in the thread that asked
            failures.append(error)
        finally:
            api.close()

    threads = [threading.Thread(target=call, args=(number / per_second,)) for number in range(CALLERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return done
