"""A PostgreSQL server of the tests' own, in a temporary folder, reached through a socket file."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.requirements import requires, unavailable

START_LIMIT_S = 30
FAST_AND_FORGETFUL = (
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "max_connections=200",
    "listen_addresses=",
)


@contextmanager
def server() -> Iterator[str]:
    """A running server; yields the URL of its database `postgres` without the database's name."""
    initdb, postgres = requires("initdb"), requires("postgres")
    account = _account()
    folder = Path(tempfile.mkdtemp(prefix="webapp-pg-"))
    try:
        if account:
            shutil.chown(folder, account)
        subprocess.run(
            [initdb, "-D", folder / "data", "-U", "tests", "-A", "trust", "-E", "UTF8", "--no-sync"],
            check=True, capture_output=True, user=account, cwd=folder,
        )  # fmt: skip
        options = [part for option in FAST_AND_FORGETFUL for part in ("-c", option)]
        running = subprocess.Popen(
            [postgres, "-D", folder / "data", "-k", folder, *options],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, user=account, cwd=folder,
        )  # fmt: skip
        try:
            _wait(folder)
            yield f"postgresql://tests@/{{database}}?host={folder}"
        finally:
            running.send_signal(signal.SIGINT)  # SIGTERM would wait for connections that a failed test left open
            running.wait(timeout=START_LIMIT_S)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _account() -> str | None:
    """The server refuses to run as root: then it runs as the account of Debian's package."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam("postgres").pw_name
    except KeyError:
        unavailable("PostgreSQL does not run as root, and there is no account named postgres")
        return None


def _wait(folder: Path) -> None:
    deadline = time.monotonic() + START_LIMIT_S
    ready = requires("pg_isready")
    while subprocess.run([ready, "-h", folder, "-q"], check=False).returncode != 0:
        if time.monotonic() > deadline:
            raise TimeoutError("PostgreSQL did not start")
        time.sleep(0.05)
