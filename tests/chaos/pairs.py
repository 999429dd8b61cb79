"""The two pairs of database and queue of every scenario: SQLite with the embedded queue, PostgreSQL with Redis.

Each test gets a database of its own that is a copy of a prepared one (see `prepare`).
"""

from __future__ import annotations

import itertools
import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from tests import postgresql, redis_server
from tests.chaos.installation import Installation
from tests.chaos.zygote import Zygote

SQLITE = "sqlite"
POSTGRESQL = "postgresql"
NAMES = {SQLITE: "SQLite", POSTGRESQL: "PostgreSQL+Redis"}
PREPARE_LIMIT_S = 120
KEYS_ALONE = shutil.ignore_patterns("*.db", "*.db-*")


@dataclass
class Pair:
    """A database and a queue. `settings` are those of an installation on it."""

    name: str
    prepared: Prepared
    settings: dict[str, str] = field(default_factory=dict)
    redis: redis_server.Server | None = None
    postgresql: postgresql.Server | None = None

    def install(self, folder: Path, zygote: Zygote | None = None, **settings: str) -> Installation:
        """A prepared installation, nothing of it started yet."""
        here = Installation(folder, **{**self.settings, **settings})
        here.zygote = zygote
        here.token = self.prepared.token
        shutil.copytree(
            self.prepared.folder / "instance",
            folder / "instance",
            ignore=KEYS_ALONE if self.name == POSTGRESQL else None,
        )
        return here

    def close(self) -> None:
        """Stop what belongs to it alone."""
        if self.redis:
            self.redis.close()


@dataclass(frozen=True)
class Prepared:
    """A prepared installation that is only copied: its folder, its token, and where its database is."""

    folder: Path
    token: str


def prepare(zygote: Zygote, folder: Path, **settings: str) -> Prepared:
    """Prepare an installation in a folder."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("WEBAPP_")}
    environment |= {f"WEBAPP_{name.upper()}": value for name, value in settings.items()}
    log = folder / "prepare.txt"
    process = zygote.start("tests.chaos.prepare", folder=folder, environment=environment, log=log)
    assert process.wait(timeout=PREPARE_LIMIT_S) == 0, log.read_text()
    return Prepared(folder, log.read_text().split()[-1])


class PostgresqlPairs:
    """A PostgreSQL server with a prepared database; each pair gets a copy of it, and a Redis of its own."""

    def __init__(self, zygote: Zygote, folder: Path) -> None:
        self._server = postgresql.Server()
        self._server.start()
        self._numbers = itertools.count()
        self._execute("CREATE DATABASE prepared")
        self._prepared = prepare(zygote, folder, database_url=self._server.url("prepared"))

    def make(self) -> Pair:
        """A pair of its own."""
        database = f"pair{next(self._numbers)}"
        self._execute(f"CREATE DATABASE {database} TEMPLATE prepared")
        redis = redis_server.Server()
        redis.start()
        settings = {"database_url": self._server.url(database), "queue_url": redis.url()}
        return Pair(POSTGRESQL, self._prepared, settings, redis, self._server)

    def close(self) -> None:
        """Stop the server."""
        self._server.close()

    def _execute(self, statement: str) -> None:
        with psycopg.connect(self._server.url(), autocommit=True) as connection:
            connection.execute(statement.encode())
