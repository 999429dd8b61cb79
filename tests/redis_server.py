"""A Redis server of the tests' own, in a temporary folder, on a free port of loopback. It keeps nothing on disk."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import closing

import redis

from tests.ports import free_port
from tests.requirements import requires

START_LIMIT_S = 10
NOTHING_ON_DISK = ("--save", "", "--appendonly", "no")


class Server:
    """A server that may be stopped and started again on the same port. `close()` removes it."""

    def __init__(self, *options: str) -> None:
        self.folder = tempfile.mkdtemp(prefix="webapp-redis-")
        self.port = free_port()
        self._options = (*NOTHING_ON_DISK, *options)
        self._process: subprocess.Popen[bytes] | None = None

    def url(self, *, port: int | None = None) -> str:
        """Where it is; through another `port` where something stands in between."""
        return f"redis://127.0.0.1:{port or self.port}/0"

    def client(self) -> redis.Redis:
        """A client; close it after use."""
        return redis.Redis(port=self.port, socket_timeout=5)

    def start(self, *options: str) -> None:
        """Start it, with more options this once, and return when it takes connections."""
        self._process = subprocess.Popen(
            [requires("redis-server"), "--port", str(self.port), "--bind", "127.0.0.1", "--dir", self.folder,
             *self._options, *options],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        deadline = time.monotonic() + START_LIMIT_S
        while not self._answers():
            if time.monotonic() > deadline:
                raise TimeoutError("Redis did not start")
            time.sleep(0.01)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """Stop it."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(timeout=START_LIMIT_S)
            self._process = None

    def flush(self) -> None:
        """Forget everything, as `FLUSHALL` does."""
        with closing(self.client()) as client:
            client.flushall()

    def close(self) -> None:
        """Stop it, and remove its folder."""
        try:
            self.stop(signal.SIGKILL)
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)

    def _answers(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            return False
        return True
