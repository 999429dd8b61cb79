"""An empty installation beside the real one: on the same disk or server, with the same settings, and gone afterwards.

SQLite: a folder beside the database file. PostgreSQL: a schema of its own in the same database (the account needs the
right to create one there), found through `search_path`. Redis: a logical database that is empty. Nothing that belongs
to the installation is read or written.
"""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import sqlalchemy as sa
from sqlalchemy.exc import DatabaseError

from webapp import config
from webapp.config import PREFIX, Settings

NAME = "webapp_bench_"
LEFT_OVER_AFTER_S = 3600  # no run takes as long: what is older was left by one that was killed
REDIS_DATABASES = range(15, 0, -1)
REDIS_KEYS = ("*blue-webhooks*", "LIMITS*")  # ours, in a logical database that was empty
KEPT = ("REQUEST_TIMEOUT", "LEASE_SECONDS", "RETRY_SCHEDULE")


class NoScratch(Exception):
    """There is no place for the measurement; the text says what is missing."""


@dataclass(frozen=True)
class Scratch:
    """Where the measurement happens: its folder, its settings, and the same as the environment of its processes."""

    folder: Path
    settings: Settings
    environment: Mapping[str, str]


@contextmanager
def scratch(settings: Settings, *, base_url: str, target: str) -> Iterator[Scratch]:
    """An empty installation that may send to `target` (host:port) alone. Raises NoScratch."""
    with ExitStack() as stack:
        folder = stack.enter_context(_folder(settings))
        options = "" if settings.is_sqlite else f"-csearch_path={stack.enter_context(_schema(settings))}"
        queue = settings.queue_url
        if queue.startswith("redis"):
            queue = stack.enter_context(_redis(queue))
        elif queue.startswith("postgresql"):
            queue = _with_options(queue, options) if options else ""
        else:
            queue = ""  # a file in the folder
        values = {
            "INSTANCE": str(folder),
            "DATABASE_URL": "" if settings.is_sqlite else _with_options(settings.database_url, options),
            "QUEUE_URL": queue or f"sqlite:///{folder / 'queue.db'}",
            "BASE_URL": base_url,
            "ALLOW_TARGETS": target,
            "LOG_FORMAT": "json",
            **{name: value for name, value, _, _ in settings.rows() if name.removeprefix(PREFIX) in KEPT},
        }
        values = {PREFIX + name.removeprefix(PREFIX): value for name, value in values.items()}
        yield Scratch(folder, _load(values), _environment(values))


def _load(values: Mapping[str, str]) -> Settings:
    """Settings of these values alone, whatever stands in the environment of this process."""
    given = {name.removeprefix(PREFIX).lower(): value for name, value in values.items() if value}
    defaults = {name: field.default for name, field in Settings.model_fields.items() if name not in given}
    return config.load(**(defaults | given))


def _environment(values: Mapping[str, str]) -> dict[str, str]:
    """What its processes see: none of the installation's own settings; a `.env` is not in their folder."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    package = str(Path(config.__file__).parents[1])
    paths = [package, *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**kept, **values, "PYTHONPATH": os.pathsep.join(paths), "PYTHONUNBUFFERED": "1"}


@contextmanager
def _folder(settings: Settings) -> Iterator[Path]:
    beside = settings.instance
    if settings.is_sqlite:
        beside = Path(sa.make_url(settings.database_url).database or "").absolute().parent
    for left in beside.glob(f"{NAME}*"):
        if left.is_dir() and time.time() - left.stat().st_mtime > LEFT_OVER_AFTER_S:
            shutil.rmtree(left, ignore_errors=True)
    try:
        folder = Path(tempfile.mkdtemp(prefix=NAME, dir=beside))
    except OSError as error:
        raise NoScratch(f"No folder can be made in {beside}: {error.strerror}.") from error
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _schema(settings: Settings) -> Iterator[str]:
    engine = sa.create_engine(settings.database_url, poolclass=sa.NullPool)
    name = f"{NAME}{int(time.time())}_{secrets.token_hex(4)}"
    try:
        with engine.begin() as connection:
            for left in sa.inspect(connection).get_schema_names():
                began = left.removeprefix(NAME).partition("_")[0]
                if left.startswith(NAME) and began.isdigit() and time.time() - int(began) > LEFT_OVER_AFTER_S:
                    connection.execute(sa.schema.DropSchema(left, cascade=True))
            connection.execute(sa.schema.CreateSchema(name))
    except DatabaseError as error:
        raise NoScratch(
            f"No schema can be made in the database (the account needs the right CREATE on it): {error.orig}"
        ) from error
    try:
        yield name
    finally:
        with engine.begin() as connection:
            connection.execute(sa.schema.DropSchema(name, cascade=True, if_exists=True))


@contextmanager
def _redis(url: str) -> Iterator[str]:
    import redis  # noqa: PLC0415 - an extra, only who uses Redis has it

    try:
        own = next((each for each in map(partial(_numbered, url), REDIS_DATABASES) if _is_empty(each)), None)
    except redis.RedisError as error:
        raise NoScratch(f"Redis does not answer: {error}") from error
    if own is None:
        raise NoScratch("Redis has no empty logical database (1 to 15) for the measurement.")
    try:
        yield own
    finally:
        with redis.Redis.from_url(own) as client:
            for pattern in REDIS_KEYS:
                for key in client.scan_iter(pattern):
                    client.delete(key)


def _numbered(url: str, number: int) -> str:
    return urlsplit(url)._replace(path=f"/{number}").geturl()


def _is_empty(url: str) -> bool:
    import redis  # noqa: PLC0415

    with redis.Redis.from_url(url) as client:
        try:
            return bool(client.dbsize() == 0)
        except redis.ResponseError:  # it has fewer of them
            return False


def _with_options(url: str, options: str) -> str:
    parsed = sa.make_url(url)
    found = parsed.query.get("options", "")
    both = " ".join([*([found] if isinstance(found, str) else found), options]).strip()
    return parsed.update_query_dict({"options": both}).render_as_string(hide_password=False)
