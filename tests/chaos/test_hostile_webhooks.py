"""A real worker process meets receivers of every hostile kind at once: it lives, and each attempt gets its word."""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from tests.chaos.installation import START_LIMIT_S, Installation, free_port, is_alive, wait_until
from tests.dns_server import DnsServer
from tests.factories import Make
from tests.hostile_answers import KINDS, Case
from tests.receiver import Receiver
from webapp.delivery import outbox
from webapp.delivery.dispatching import THREADS
from webapp.delivery.transport.pools import MAX_IDLE_S
from webapp.extensions import db
from webapp.models import Attempt, Delivery, ErrorWord, Event, Project, User, transaction

HEALTHY = 10
LIMIT_S = 1.0
MOST_GROWTH_KB = 20_000  # of more than 100 hostile webhooks together
MOST_THREADS = THREADS + 12  # senders are made as they are needed, the others at the start
SPARE_FILES = 20  # three for each connection to the database that its threads open later
FOREIGN_SECRET = "gAAAAABfbm90IGEga2V5IG9mIHRoaXMgaW5zdGFsbGF0aW9u"
OFF_THE_WIRE = {  # what is wrong before or beside HTTP
    "tls where plain http is spoken": "tls_error",
    "nobody listens": "connect_refused",
    "no such name": "dns_not_found",
    "a silent name server": "dns_timeout",
    "a private address": "address_refused",
    "an unreadable secret": "config_error",
}


def host_of(number: int) -> str:
    """A name for each kind, so that none is sent along a connection on which another one was hostile."""
    return f"kind-{number}.example.com"


@pytest.fixture
def hostile() -> Iterator[Receiver]:
    """Each kind has a path of its own."""
    with Receiver() as receiver:
        for number, case in enumerate(KINDS.values()):
            receiver.answers(case.reply, path=f"/{number}")
        yield receiver


@pytest.fixture
def names() -> Iterator[DnsServer]:
    with DnsServer() as names:
        for number in range(len(KINDS)):
            names.says(host_of(number), "A", ["127.0.0.1"])
        names.says("inside.example.com", "A", ["10.0.0.5"])
        names.ignores("silent.example.com")
        yield names


@pytest.fixture
def nobody() -> str:
    return f"127.0.0.1:{free_port()}"


@pytest.fixture
def here(
    install: Callable[..., Installation], hostile: Receiver, receiver: Receiver, names: DnsServer, nobody: str
) -> Installation:
    kinds = (f"{host_of(number)}:{hostile.port}" for number in range(len(KINDS)))
    return install(
        allow_targets=",".join((*kinds, hostile.target, receiver.target, nobody)),
        allow_cidrs="127.0.0.1/32",
        dns_servers=names.address,
        request_timeout=f"{LIMIT_S}s",
        retry_schedule="0,1h,1h,1h,1h,1h,1h,1h,1h,1h",
    )


@pytest.fixture
def app(make_app: Callable[..., Flask], here: Installation) -> Flask:
    """The same database and the same bell as those of the worker."""
    here.run("db", "upgrade")
    instance = here.folder / "instance"
    return make_app(instance=instance, database_url=f"sqlite:///{instance}/app.db", queue_url="")


@dataclass
class Scene:
    """A project whose events go to hostile and healthy webhooks: id → what its attempts must be."""

    project: Project
    owner: User
    hostile: dict[str, tuple[str, Case]]
    healthy: list[str]

    def publish(self) -> int:
        """Let one thing happen; returns how many deliveries that makes."""
        with transaction():
            outbox.publish("TODO_CREATED", project=self.project, by=self.owner, current={"id": "c1"})
        return len(self.hostile) + len(self.healthy)


@pytest.fixture
def make_scene(make: Make, hostile: Receiver, receiver: Receiver, nobody: str) -> Callable[..., Scene]:
    def made(*, of_each: int, healthy: int) -> Scene:
        owner = make.user()
        project = make.project(owner=owner)
        found: dict[str, tuple[str, Case]] = {}
        for _, (number, (kind, case)) in itertools.product(range(of_each), enumerate(KINDS.items())):
            found[make.webhook(by=owner, url=f"http://{host_of(number)}:{hostile.port}/{number}").id] = (kind, case)
        urls = (
            *(f"https://{hostile.target}/", f"http://{nobody}/", "https://nobody.example.com/"),
            *("https://silent.example.com/", "https://inside.example.com/", f"{receiver.url}never"),
        )
        for url, (kind, word) in zip(urls, OFF_THE_WIRE.items(), strict=True):
            values = {"secret_ciphertext": FOREIGN_SECRET} if word == "config_error" else {}
            found[make.webhook(by=owner, url=url, **values).id] = (kind, Case(None, word=word))
        return Scene(project, owner, found, [make.webhook(by=owner, url=receiver.url).id for _ in range(healthy)])

    return made


def started_worker(here: Installation) -> int:
    """Start one; returns its process, once it beats."""
    here.start("worker")
    wait_until(lambda: here.rows("SELECT id FROM worker"), START_LIMIT_S, "a worker beats")
    return here.worker_pid()


def settled_attempts() -> int:
    db.session.rollback()
    return db.session.scalar(sa.select(sa.func.count()).where(Attempt.finished_at.is_not(None))) or 0


def wrong_attempts(known: dict[str, tuple[str, Case]]) -> list[str]:
    """Attempts that did not end as they must, in words."""
    columns = (Delivery.webhook_id, Attempt.status, Attempt.error, Attempt.sentence, Attempt.total_ms)
    found = []
    for row in db.session.execute(sa.select(*columns).join(Delivery, Delivery.seq == Attempt.delivery_seq)):
        kind, case = known.get(row.webhook_id, ("healthy", Case(None, 200)))
        is_told = row.error is None or (row.error in set(ErrorWord) and bool(row.sentence))
        if (row.status, row.error) != (case.status, case.word) or not is_told or (row.total_ms or 0) > 3_500:
            found.append(f"{kind}: {row.status} {row.error} after {row.total_ms} ms")
    return found


def ages(webhooks: list[str]) -> list[float]:
    """From the event to the moment of sending, in seconds, shortest first."""
    db.session.rollback()
    query = (
        sa.select(Attempt.started_at, Event.created_at)
        .join(Delivery, Delivery.seq == Attempt.delivery_seq)
        .join(Event, Event.seq == Delivery.event_seq)
        .where(Delivery.webhook_id.in_(webhooks), Attempt.finished_at.is_not(None))
    )
    return sorted((row.started_at - row.created_at).total_seconds() for row in db.session.execute(query))


def memory_kb(pid: int) -> int:
    return next(
        int(line.split()[1]) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if "VmRSS" in line
    )


def open_files(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/fd"))


def threads(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/task"))


@pytest.mark.proves("A30", "A74")
def test_a_worker_outlives_every_hostile_kind_and_records_each_attempt_with_its_word(
    here: Installation, make_scene: Callable[..., Scene], receiver: Receiver
) -> None:
    everyone = make_scene(of_each=1, healthy=HEALTHY)
    assert len(everyone.hostile) > 100
    pid = started_worker(here)
    had_files = open_files(pid)
    expected = everyone.publish()
    wait_until(lambda: settled_attempts() == expected, 60, "the first event is settled")
    wait_until(lambda: open_files(pid) <= had_files + SPARE_FILES, 10, "kept connections are closed")
    time.sleep(MAX_IDLE_S)  # and none is used again: one that is closed at that moment would be one more kind
    was_kb = memory_kb(pid)

    expected += everyone.publish() - sum(kind == "gone" for kind, _ in everyone.hostile.values())
    wait_until(lambda: settled_attempts() == expected, 60, "the second event is settled")

    assert wrong_attempts(everyone.hostile) == []
    assert is_alive(pid)
    assert here.worker_pid() == pid
    assert len(receiver.requests) == 2 * HEALTHY
    assert memory_kb(pid) - was_kb < MOST_GROWTH_KB
    assert threads(pid) <= MOST_THREADS
    wait_until(lambda: open_files(pid) <= had_files + SPARE_FILES, 10, "nothing is left open")
    assert "Traceback" not in here.printed()


@pytest.mark.soak
@pytest.mark.timeout(600)
@pytest.mark.proves("A31", "A74")
def test_two_hundred_hostile_webhooks_hold_up_no_healthy_one(
    here: Installation, make_scene: Callable[..., Scene], receiver: Receiver
) -> None:
    everyone = make_scene(of_each=2, healthy=50)
    assert len(everyone.hostile) > 200
    pid = started_worker(here)
    count = everyone.publish()
    wait_until(lambda: settled_attempts() == count, 120, "the worker has met them all")
    known = len(ages(everyone.healthy))
    for _ in range(3):
        everyone.publish()
    wait_until(lambda: len(ages(everyone.healthy)) == 4 * known, 120, "all healthy ones are settled")

    found = ages(everyone.healthy)
    p50, p99 = found[len(found) // 2], found[int(len(found) * 0.99)]
    print(f"healthy: p50 {p50:.3f} s, p99 {p99:.3f} s")
    assert is_alive(pid)
    assert p99 <= 2.0
