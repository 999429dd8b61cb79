"""A PostgreSQL server of the tests' own, in a temporary folder, reached through a socket file and through loopback."""

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

from tests.ports import free_port
from tests.requirements import requires, unavailable

START_LIMIT_S = 30
FAST_AND_FORGETFUL = (
    "fsync=off",
    "full_page_writes=off",
    "max_connections=200",
)


class Server:
    """A server that may be stopped and started again: same folder, same port, same data. `close()` removes it.

    With the options given here, its processes may be killed and lose nothing; the machine may not.
    """

    def __init__(self, *options: str) -> None:
        self._account = _account()
        self.folder = Path(tempfile.mkdtemp(prefix="webapp-pg-"))
        self.port = free_port()
        self._options = (*FAST_AND_FORGETFUL, "listen_addresses=127.0.0.1", *options)
        self._process: subprocess.Popen[bytes] | None = None
        if self._account:
            shutil.chown(self.folder, self._account)
        subprocess.run(
            [requires("initdb"), "-D", self.folder / "data", "-U", "tests", "-A", "trust", "-E", "UTF8", "--no-sync"],
            check=True, capture_output=True, user=self._account, cwd=self.folder,
        )  # fmt: skip

    def url(self, database: str = "postgres", *, port: int | None = None) -> str:
        """Where a database is, through loopback; through another `port` where something stands in between."""
        return f"postgresql://tests@127.0.0.1:{port or self.port}/{database}"

    def start(self) -> None:
        """Start it, and return when it takes connections."""
        options = [part for option in self._options for part in ("-c", option)]
        self._process = subprocess.Popen(
            [requires("postgres"), "-D", self.folder / "data", "-k", self.folder, "-p", str(self.port), *options],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, user=self._account, cwd=self.folder,
        )  # fmt: skip
        self._wait()

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop it: by SIGINT it ends connections first, by SIGQUIT it leaves at once, by SIGKILL it just dies."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(timeout=START_LIMIT_S)
            self._process = None

    def close(self) -> None:
        """Stop it, and remove its folder."""
        try:
            self.stop()  # SIGTERM would wait for connections that a failed test left open
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)

    def _wait(self) -> None:
        deadline = time.monotonic() + START_LIMIT_S
        ready = [requires("pg_isready"), "-h", str(self.folder), "-p", str(self.port), "-q"]
        while subprocess.run(ready, check=False).returncode != 0:
            if time.monotonic() > deadline:
                raise TimeoutError("PostgreSQL did not start")
            time.sleep(0.05)


@contextmanager
def server() -> Iterator[str]:
    """A running server; yields the URL of a database with `{database}` in the place of its name."""
    running = Server()
    try:
        running.start()
        yield f"postgresql://tests@/{{database}}?host={running.folder}&port={running.port}"
    finally:
        running.close()


def _account() -> str | None:
    """The server refuses to run as root: then it runs as the account of Debian's package."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam("postgres").pw_name
    except KeyError:
        unavailable("PostgreSQL does not run as root, and there is no account named postgres")
        return None
