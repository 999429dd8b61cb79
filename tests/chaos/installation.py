"""A real installation in a temporary folder: real processes, real sockets, real signals.

It runs on SQLite with the embedded queue unless its settings say otherwise.
"""

from __future__ import annotations

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import psycopg

from tests.chaos.zygote import Forked, Zygote
from tests.ports import free_port

ROOT = Path(__file__).parents[2]
START_LIMIT_S = 40.0
CREATED = "TODO_CREATED"
Process = subprocess.Popen[bytes] | Forked


def wait_until(claim: Callable[[], Any], within: float, what: str, *, every: float = 0.02) -> Any:
    """What `claim` returns once it is true; AssertionError naming `what` after `within` seconds."""
    deadline = time.monotonic() + within
    while not (found := claim()):
        assert time.monotonic() < deadline, f"not within {within} s: {what}"
        time.sleep(every)
    return found


class Installation:
    """Settings, a folder, and the processes that were started in it. `close()` ends those that still run."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder = folder
        self.token = ""  # of the person who administers everything, where the installation was prepared
        self.port = free_port()
        self.log = folder / "log.txt"
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("WEBAPP_")}
        self.environment |= {f"WEBAPP_{name.upper()}": value for name, value in settings.items()}
        self.environment |= {"PYTHONUNBUFFERED": "1", "WEBAPP_LOG_FORMAT": "json"}
        self.database_url = settings.get(
            "database_url", ""
        )  # from outside, also where processes are sent through a relay
        self.zygote: Zygote | None = None
        self._processes: list[Process] = []
        self._connection: psycopg.Connection[Any] | None = None

    def run(self, *arguments: str) -> str:
        """Run a command to its end; what it printed."""
        done = subprocess.run(
            [sys.executable, "-m", "webapp", *arguments],
            cwd=self.folder, env=self.environment, capture_output=True, text=True, check=False, timeout=START_LIMIT_S,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def start(self, *arguments: str, module: str = "webapp", **environment: str) -> Process:
        """Start a command that goes on: by itself, or forked from the zygote where there is one."""
        environment = {**self.environment, **environment}
        process: Process
        if self.zygote is not None:
            process = self.zygote.start(
                module, *arguments, folder=self.folder, environment=environment, log=self.log
            )  # fmt: skip
        else:
            with self.log.open("ab") as log:
                process = subprocess.Popen(
                    [sys.executable, "-m", module, *arguments],
                    cwd=self.folder, env=environment, stdout=log, stderr=log,
                )  # fmt: skip
        self._processes.append(process)
        return process

    def web(self) -> Process:
        """`webapp web` on this installation's port, ready to be asked."""
        process = self.start("web", "--port", str(self.port))
        self.wait_for_web()
        return process

    def worker(self) -> Process:
        """`webapp worker`, which has begun to work."""
        process = self.start("worker")
        self.wait_for_worker(process)
        return process

    def wait_for_worker(self, process: Process) -> None:
        """Wait until this worker beats."""
        beats = "SELECT id FROM worker WHERE pid = ?"
        wait_until(lambda: self.rows(beats, process.pid), START_LIMIT_S, f"a worker beats\n{self.printed()}")

    def up(self, *arguments: str) -> Process:
        """`webapp up` on a free port, ready to be asked."""
        process = self.start("up", "--port", str(self.port), *arguments)
        self.wait_for_web()
        wait_until(lambda: self.rows("SELECT id FROM worker"), START_LIMIT_S, "a worker beats")
        return process

    def wait_for_web(self) -> None:
        """Wait until the pages answer."""
        wait_until(lambda: self.status("/healthz") == 200, START_LIMIT_S, f"web answers\n{self.printed()}")

    def printed(self) -> str:
        """All that was printed so far."""
        return self.log.read_text() if self.log.exists() else ""

    def password(self) -> str:
        """The password that the demo printed."""
        found = re.search(r"password: (\S+)", self.printed())
        assert found, self.printed()
        return found.group(1)

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}"

    def status(self, path: str) -> int | None:
        """The status of a page, None when nobody answers."""
        try:
            with urllib.request.urlopen(self.url + path, timeout=2) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return None

    def call(self, method: str, path: str, token: str, body: Any = None, **headers: str) -> Any:
        """A REST call; its answer as JSON."""
        request = urllib.request.Request(
            f"{self.url}/api/v1{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json", **headers},
        )
        with urllib.request.urlopen(request, timeout=15) as answer:
            text = answer.read()
            return json.loads(text) if text else None

    def webhook(self, url: str, **fields: Any) -> str:
        """A webhook that wants everything that happens in its owner's projects; its id."""
        made = self.call("POST", "/webhooks", self.token, {"name": "Orders", "url": url, **fields})
        return str(made["id"])

    def publish(self, count: int, project: str = "p1", **headers: str) -> list[str]:
        """Publish as many events, in batches; their ids."""
        ids: list[str] = []
        while len(ids) < count:
            numbers = range(len(ids), min(count, len(ids) + 500))
            events = [{"event": CREATED, "projectId": project, "currentValue": {"id": f"c{n}"}} for n in numbers]
            ids += self.call("POST", "/events/batch", self.token, {"events": events}, **headers)["ids"]
        return ids

    def rows(self, query: str, *values: Any) -> list[Any]:
        """Rows of the database, read from outside; none while it has no tables. Values are marked by `?`."""
        if self.database_url.startswith("postgresql"):
            return self._postgresql_rows(query.replace("?", "%s"), values)
        path = self.folder / "instance" / "app.db"
        if not path.exists():
            return []
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)) as connection:
            try:
                return connection.execute(query, values).fetchall()
            except sqlite3.OperationalError as error:
                if "no such table" not in str(error):
                    raise
                return []

    def _postgresql_rows(self, query: str, values: tuple[Any, ...]) -> list[Any]:
        """One connection is kept: a new one for each look would be a process of the server each time."""
        if self._connection is None or self._connection.closed:
            self._connection = psycopg.connect(self.database_url, autocommit=True, connect_timeout=5)
        try:
            return self._connection.execute(query, values or None).fetchall()
        except psycopg.errors.UndefinedTable:
            return []
        except psycopg.OperationalError:  # the server was restarted
            self._connection.close()
            self._connection = psycopg.connect(self.database_url, autocommit=True, connect_timeout=5)
            return self._connection.execute(query, values or None).fetchall()

    def execute(self, statement: str, *values: Any) -> int:
        """Change rows from outside; how many it were."""
        if self.database_url.startswith("postgresql"):
            with psycopg.connect(self.database_url) as connection:
                return connection.execute(statement.replace("?", "%s"), values or None).rowcount
        path = self.folder / "instance" / "app.db"
        with closing(sqlite3.connect(path, timeout=10)) as connection, connection:
            return connection.execute(statement, values).rowcount

    def worker_pid(self) -> int:
        """The process that sends."""
        return int(
            wait_until(lambda: self.rows("SELECT pid FROM worker ORDER BY started_at DESC"), 10, "a worker")[0][0]
        )

    def close(self, *, at_once: bool = False) -> None:
        """End what was started here and still runs; `at_once` saves the seconds of a clean stop."""
        if self._connection is not None:
            self._connection.close()
        for process in self._processes:
            if process.poll() is None:
                offspring = children(process.pid) if at_once else []
                process.send_signal(signal.SIGKILL if at_once else signal.SIGTERM)
                for pid in offspring:
                    with suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
        for process in self._processes:
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def is_alive(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    try:
        os.kill(pid, 0)
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text() if Path("/proc").exists() else True
    except (ProcessLookupError, FileNotFoundError):
        return False


def children(pid: int) -> list[int]:
    """The direct children of a process."""
    listed = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False)
    return [int(line) for line in listed.stdout.split()]


KILL = signal.SIGKILL
