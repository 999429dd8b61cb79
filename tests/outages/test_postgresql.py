"""PostgreSQL that restarts, hangs, has no room or breaks off: nothing is lost, nobody waits for ever, nothing ends."""

from __future__ import annotations

import contextlib
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from tests import postgresql
from tests.api.conftest import Program
from tests.conftest import Cast
from tests.delivery.conftest import eventually
from tests.factories import Make
from tests.outages.conftest import MAX_CONNECTIONS
from tests.receiver import Answer, Receiver, wait_until
from tests.relay import Relay
from webapp.delivery.dispatching import Dispatcher
from webapp.extensions import db
from webapp.models import Attempt, Delivery, DeliveryState, Event, Project

Start = Callable[..., Dispatcher]


@pytest.fixture
def database(behind_relay: str) -> str:
    return behind_relay


@pytest.fixture
def project(cast: Cast, make: Make, receiver: Receiver) -> Project:
    """A project with a webhook to the receiver."""
    make.webhook(by=cast.admin, url=receiver.url)
    return make.project_of(cast.admin)


def created(project_id: str, number: int = 0) -> dict[str, Any]:
    return {"event": "TODO_CREATED", "projectId": project_id, "currentValue": {"id": f"c{number}"}}


def count(model: Any, *where: Any) -> int:
    db.session.rollback()
    return db.session.scalar(sa.select(sa.func.count()).select_from(model).where(*where)) or 0


def is_unavailable(answer: Any) -> bool:
    return answer.status_code == 503 and int(answer.headers["Retry-After"]) > 0


def post_until_taken(api: Program, body: Any, key: str) -> Any:
    """Post as a client does that was told to try again."""
    deadline = time.monotonic() + 30
    while (answer := api.post("/events", body, headers={"Idempotency-Key": key})).status_code != 202:
        assert is_unavailable(answer), answer.text
        assert time.monotonic() < deadline, "it is not taken"
        time.sleep(0.05)
    return answer


def all_succeed(expected: int, within: float = 30.0) -> None:
    def settled() -> bool:
        with contextlib.suppress(sa.exc.OperationalError):
            return count(Delivery, Delivery.state == DeliveryState.SUCCEEDED) == expected
        return False

    eventually(settled, within)


@pytest.mark.proves("F25")
def test_a_server_that_hangs_is_a_503_within_the_limits_and_then_goes_on(
    api: Program, project: Project, relay: Relay
) -> None:
    project_id = project.id
    assert api.post("/events", created(project_id)).status_code == 202
    relay.pause()
    begun = time.monotonic()
    assert is_unavailable(api.post("/events", created(project_id, 1)))
    assert time.monotonic() - begun < 8  # a second for the answer that does not come, two for a new connection
    assert api.client.get("/healthz").status_code == 200
    relay.resume()
    post_until_taken(api, created(project_id, 2), "key")


@pytest.mark.proves("F27")
def test_a_commit_whose_answer_is_lost_is_safe_to_repeat(api: Program, project: Project, relay: Relay) -> None:
    project_id = project.id
    api.get("/projects")  # the token's use is noted once a minute
    relay.cut_after(b"INSERT INTO event", b"COMMIT")
    assert is_unavailable(api.post("/events", created(project_id), headers={"Idempotency-Key": "key"}))
    assert relay.has_cut
    assert count(Event) == 1
    answer = api.post("/events", created(project_id), headers={"Idempotency-Key": "key"})
    assert answer.status_code == 202
    assert count(Event) == 1
    assert answer.json["id"] == db.session.scalar(sa.select(Event.id))


def wait_for_silence(receiver: Receiver, seconds: float = 1.5) -> int:
    """How many requests had come when none had come for a while."""
    seen, since = len(receiver.requests), time.monotonic()
    while time.monotonic() - since < seconds:
        if len(receiver.requests) != seen:
            seen, since = len(receiver.requests), time.monotonic()
        time.sleep(0.02)
    return seen


@pytest.mark.proves("F25")
@pytest.mark.parametrize("settings", [{"lease_seconds": 12}])
def test_a_worker_that_cannot_record_does_not_send_and_nothing_is_lost(
    api: Program, project: Project, relay: Relay, receiver: Receiver, start_worker: Start
) -> None:
    receiver.answers(Answer(200, delay=0.5))
    events = [created(project.id, number) for number in range(60)]
    worker = start_worker(threads=4)
    assert api.post("/events/batch", {"events": events}).status_code == 202
    receiver.wait_for(8, within=10)
    relay.pause()
    sent = wait_for_silence(receiver)
    assert sent - 8 < 16, "of 32 that were claimed only those go out that begin before it is known"
    receiver.answers(200)
    relay.resume()
    all_succeed(60)
    arrived = Counter(request.header("webhook-id") for request in receiver.requests)
    assert len(arrived) == 60
    assert sum(arrived.values()) - 60 <= sent - 4, "only what was sent and could not be recorded comes twice"
    assert worker.is_alive


@pytest.mark.proves("F24")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT], ids=["fast", "immediate"])
def test_a_restart_during_deliveries_loses_none(
    api: Program,
    project: Project,
    postgres: postgresql.Server,
    receiver: Receiver,
    start_worker: Start,
    how: signal.Signals,
) -> None:
    receiver.answers(Answer(200, delay=0.02))
    events = [created(project.id, number) for number in range(200)]
    worker = start_worker(threads=4)
    ids = api.post("/events/batch", {"events": events}).json["ids"]
    for share in (40, 100):
        receiver.wait_for(share, within=20)
        postgres.stop(how)
        postgres.start()
    all_succeed(200)
    arrived = Counter(request.header("X-Webhook-Event-Id") for request in receiver.requests)
    assert set(arrived) == set(ids)
    assert sum(arrived.values()) - 200 <= count(Attempt, Attempt.finished_at.is_(None)) + 8
    assert worker.is_alive


@pytest.mark.proves("F27")
def test_a_claim_whose_commit_is_unknown_is_sent_once_its_lease_is_over(
    api: Program, project: Project, relay: Relay, receiver: Receiver, start_worker: Start
) -> None:
    start_worker(threads=2)
    assert api.post("/events", created(project.id)).status_code == 202
    receiver.wait_for(1)
    all_succeed(1)
    relay.cut_after(b"INSERT INTO attempt", b"COMMIT")
    post_until_taken(api, created(project.id, 1), "key")
    wait_until(lambda: relay.has_cut, within=5)
    all_succeed(2)
    assert len({request.header("webhook-id") for request in receiver.requests}) == 2


@contextlib.contextmanager
def no_room(postgres: postgresql.Server, relay: Relay) -> Iterator[None]:
    """All connections that the server has are taken by others."""
    relay.refuse()
    with contextlib.ExitStack() as taken:
        for _ in range(MAX_CONNECTIONS):
            wait_until(lambda: takes_a_place(postgres, taken), within=20)  # what was cut off leaves its own later
        relay.allow()
        yield


def takes_a_place(postgres: postgresql.Server, taken: contextlib.ExitStack) -> bool:
    """Whether the server had a connection left; it is kept until `taken` ends."""
    try:
        taken.enter_context(psycopg.connect(postgres.url()))
    except psycopg.OperationalError:
        return False
    return True


@pytest.mark.proves("F26")
def test_a_server_without_a_free_connection_is_a_503_and_the_worker_waits(
    api: Program,
    project: Project,
    postgres: postgresql.Server,
    relay: Relay,
    receiver: Receiver,
    start_worker: Start,
    caplog: pytest.LogCaptureFixture,
) -> None:
    project_id = project.id
    worker = start_worker(threads=2)
    db.session.remove()  # its connection is about to break, too
    with no_room(postgres, relay):
        assert is_unavailable(api.post("/events", created(project_id)))
        assert api.client.get("/readyz").status_code == 503
        wait_until(lambda: "the look at the database failed" in caplog.text, within=20)
    assert api.post("/events", created(project_id)).status_code == 202
    receiver.wait_for(1, within=20)
    all_succeed(1)
    assert worker.is_alive


@pytest.mark.proves("A75")
def test_a_slow_server_turns_readiness_red(api: Program, project: Project, relay: Relay, start_worker: Start) -> None:
    start_worker(threads=1)
    wait_until(lambda: api.client.get("/readyz").status_code == 200)
    relay.delay_s = 0.2
    answer = api.client.get("/readyz")
    relay.delay_s = 0.0
    assert answer.status_code == 503
    assert [check["name"] for check in answer.json["checks"] if not check["ok"]] == ["database"]
