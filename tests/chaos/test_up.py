"""`webapp up`: one command, one supervisor; what dies is started again, and nothing outlives it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable

import pytest

from tests.chaos.installation import Installation, children, is_alive, wait_until

Install = Callable[..., Installation]


def test_the_demo_starts_sends_and_stops_cleanly(install: Install) -> None:
    here = install()
    process = here.up("--demo")
    assert here.status("/login") == 200
    assert here.password()
    wait_until(
        lambda: here.rows("SELECT count(*) FROM inbox_request WHERE verdict = 'right'")[0][0] > 10,
        20,
        "signed requests arrive",
    )
    running = [process.pid, *children(process.pid)]
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=30) == 0
    wait_until(lambda: not any(is_alive(pid) for pid in running), 5, "all processes have ended")
    assert here.rows("SELECT * FROM worker") == []
    assert here.rows("SELECT count(*) FROM delivery WHERE lease_until IS NOT NULL") == [(0,)]
    assert "Traceback" not in here.printed()


def test_a_worker_that_dies_is_started_again(install: Install) -> None:
    here = install()
    here.up("--demo")
    first = here.worker_pid()
    os.kill(first, signal.SIGKILL)
    wait_until(lambda: here.worker_pid() != first, 15, "another worker beats")
    assert "worker ended with -9; starting it again" in here.printed()


def test_children_end_when_the_supervisor_is_killed(install: Install) -> None:
    here = install()
    process = here.up("--demo")
    orphans = children(process.pid)
    assert len(orphans) == 2
    process.kill()
    process.wait()
    wait_until(lambda: not any(is_alive(pid) for pid in orphans), 40, "no orphan is left")
    assert here.status("/healthz") is None


def test_an_empty_installation_opens_the_setup_page(install: Install) -> None:
    here = install()
    here.up()
    assert here.status("/setup") == 200


def test_a_taken_port_is_named(install: Install) -> None:
    here = install()
    refused = pytest.raises(AssertionError, match=f"Cannot listen on 127.0.0.1 port {here.port}")
    with socket.create_server(("127.0.0.1", here.port)), refused:
        here.run("up", "--port", str(here.port))


@pytest.mark.parametrize("role", ["web", "worker"])
def test_a_role_alone_refuses_to_start_without_a_database(install: Install, role: str) -> None:
    here = install()
    done = subprocess.run(
        [sys.executable, "-m", "webapp", role],
        check=False,
        cwd=here.folder,
        env=here.environment,
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode == 2
    assert "webapp db upgrade" in done.stderr


def test_wrong_settings_are_all_named_at_once(install: Install) -> None:
    here = install(
        request_timeout="soon",
        lease_seconds="x",
        allow_cidrs="0.0.0.0/0",
        database_url="mysql://x",
        base_url="ftp://x/y",
    )
    done = subprocess.run(
        [sys.executable, "-m", "webapp", "up"],
        check=False,
        cwd=here.folder,
        env=here.environment,
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode == 2
    for name in ("REQUEST_TIMEOUT", "LEASE_SECONDS", "ALLOW_CIDRS", "DATABASE_URL", "BASE_URL"):
        assert f"WEBAPP_{name}:" in done.stderr
    assert "Traceback" not in done.stderr


def test_check_prints_the_settings_with_secrets_masked(install: Install) -> None:
    here = install(secret_key="s3cret-key-of-this-test", mail_url="smtp://me:hunter2@localhost")
    here.run("db", "upgrade")
    done = subprocess.run(
        [sys.executable, "-m", "webapp", "check"],
        check=False,
        cwd=here.folder,
        env=here.environment,
        capture_output=True,
        text=True,
        timeout=30,
    )
    table = done.stdout + done.stderr
    assert "WEBAPP_REQUEST_TIMEOUT" in table
    assert done.returncode == 2, "no worker runs"
    assert "s3cret" not in table
    assert "hunter2" not in table


def test_a_token_is_printed_alone_and_works(install: Install) -> None:
    here = install()
    here.run("db", "upgrade")
    here.run("user", "create", "--email", "ada@example.com", "--password", "correct horse battery staple", "--admin")
    token = here.run("token", "create", "--user", "ada@example.com")
    assert token.startswith("pat_")
    assert len(token.split()) == 1
    here.start("web", "--port", str(here.port))
    here.wait_for_web()
    assert here.call("GET", "/webhooks", token) is not None
