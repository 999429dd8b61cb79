"""The log of real processes: whatever happens to them, each line is an entry, and has only known fields."""

from __future__ import annotations

import json
import os
import signal
import socket
from collections.abc import Callable

import pytest

from tests.chaos.installation import Installation, wait_until
from webapp.logs import FIELDS

Install = Callable[..., Installation]


@pytest.mark.proves("W31")
def test_every_line_of_a_run_with_faults_parses_and_has_known_fields(install: Install) -> None:
    here = install(lease_seconds="2", request_timeout="1s")
    process = here.up("--demo")
    for request in (
        b"GET /login?token=a-planted-secret HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: a\r\n\tb\r\n\r\n",
        b"NONSENSE a-planted-secret\r\n\r\n",
        b"GET / HTTP/9.9\r\nX-\x00: \x1b[31m\r\n\r\n",
    ):
        with socket.create_connection(("127.0.0.1", here.port), timeout=5) as connection:
            connection.sendall(request)
            connection.recv(1000)
    killed = here.worker_pid()
    os.kill(killed, signal.SIGKILL)
    wait_until(lambda: here.worker_pid() != killed, 20, "another worker beats")
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=30) == 0

    said = [line for line in here.printed().splitlines() if not line.startswith(("Blue Webhooks", "Demo sign-in"))]
    entries = [json.loads(line) for line in said]
    assert {"worker started", "worker stopped", "worker ended with -9; starting it again"} <= {
        entry["event"] for entry in entries
    }
    assert {field for entry in entries for field in entry} <= FIELDS
    assert "a-planted-secret" not in here.printed()
