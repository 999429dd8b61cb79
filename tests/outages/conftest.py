"""A PostgreSQL server behind a relay, a person's program on it, and the worker of a test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from tests import postgresql
from tests.api.conftest import Program, api, program
from tests.delivery.conftest import start_worker
from tests.receiver import Receiver
from tests.relay import Relay
from webapp.delivery import dispatching
from webapp.models import Base, engine
from webapp.models import postgresql as waits

__all__ = ["Program", "api", "program", "start_worker"]

MAX_CONNECTIONS = 20


@pytest.fixture(scope="session")
def postgres() -> Iterator[postgresql.Server]:
    """A server that keeps what it has committed, whenever its processes end."""
    server = postgresql.Server(
        f"max_connections={MAX_CONNECTIONS}",
        "superuser_reserved_connections=0",
        "deadlock_timeout=300ms",
    )
    server.start()
    made = sa.create_engine(server.url().replace("postgresql:", "postgresql+psycopg:"))
    Base.metadata.create_all(made)
    made.dispose()
    yield server
    server.close()


@pytest.fixture
def relay(postgres: postgresql.Server) -> Iterator[Relay]:
    """What stands between the application and the server."""
    with Relay(postgres.port) as relay:
        yield relay


@pytest.fixture
def behind_relay(postgres: postgresql.Server, relay: Relay) -> Iterator[str]:
    """The URL of an empty database behind the relay."""
    yield postgres.url(port=relay.port)
    made = sa.create_engine(postgres.url().replace("postgresql:", "postgresql+psycopg:"), poolclass=sa.NullPool)
    with made.begin() as connection:
        names = ", ".join(f'"{table.name}"' for table in Base.metadata.sorted_tables)
        connection.execute(sa.text(f"TRUNCATE {names} RESTART IDENTITY CASCADE"))


@pytest.fixture
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Limits that a test can wait for."""
    monkeypatch.setattr(waits, "ANSWER_LIMIT_S", 1.0)
    monkeypatch.setattr(engine, "CONNECT_TIMEOUT_S", 2)  # libpq knows no less
    monkeypatch.setattr(dispatching, "PAUSE_AFTER_ERROR_S", 0.2)


@pytest.fixture
def settings() -> dict[str, Any]:
    """Settings of the application that a test changes."""
    return {"lease_seconds": 3}


@pytest.fixture
def app(make_app: Callable[..., Flask], receiver: Receiver, short_waits: None, settings: dict[str, Any]) -> Flask:
    """The application, allowed to send to the receiver, with leases that end soon."""
    return make_app(
        allow_targets=receiver.target, retry_schedule="0,100ms,100ms,100ms", request_timeout="1s", **settings
    )
