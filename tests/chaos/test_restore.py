"""A backup taken from an installation that works is restored as the README says: what waited in it is sent."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.chaos.installation import Installation
from tests.chaos.test_kills import publish
from tests.factories import SECRET
from tests.receiver import Receiver
from webapp.delivery.signing import Verdict
from webapp.delivery.signing import check as check_signature

Install = Callable[..., Installation]
WAITING = 30


def checked(here: Installation) -> dict[str, Any]:
    """What `webapp check` says of each part."""
    done = subprocess.run(
        [sys.executable, "-m", "webapp", "check", "--json"],
        check=False, cwd=here.folder, env=here.environment, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    return {each["name"]: each["status"] for each in json.loads(done.stdout)["checks"]}


def restore(lost: Installation, install: Install, **settings: str) -> Installation:
    """The steps of the README, in a folder with everything that the lost installation left lying about."""
    there = install(**settings)
    instance = there.folder / "instance"
    shutil.copytree(lost.folder / "left", instance)
    for name in ("app.db-wal", "app.db-shm"):
        (instance / name).unlink(missing_ok=True)
    for path in instance.glob("queue.db*"):
        path.unlink()
    shutil.copy(lost.folder / "backup.db", instance / "app.db")
    for key in (lost.folder / "keys").iterdir():
        shutil.copy(key, instance)
    return there


@pytest.mark.proves("A15", "F59")
def test_a_restored_backup_sends_what_waited(install: Install, receiver: Receiver) -> None:
    here = install(allow_targets=receiver.target)
    here.run("db", "upgrade")
    here.run("user", "create", "--email", "ada@example.com", "--password", "correct horse battery staple", "--admin")
    token = here.run("token", "create", "--user", "ada@example.com")
    here.start("web", "--port", str(here.port))
    here.wait_for_web()
    here.call("PUT", "/companies/c1", token, {"name": "Analytical Engines"})
    here.call("PUT", "/projects/p1", token, {"name": "Orders", "companyId": "c1"})
    here.call("POST", "/webhooks", token, {"name": "Orders", "url": receiver.url, "secret": SECRET})
    publish(here, token, WAITING)
    here.run("backup", "backup.db")
    publish(here, token, 5)  # after the backup
    shutil.copytree(here.folder / "instance", here.folder / "left", ignore=shutil.ignore_patterns("*.key"))
    assert (here.folder / "left" / "app.db-wal").stat().st_size > 0
    (here.folder / "keys").mkdir()
    for key in (here.folder / "instance").glob("*.key"):
        shutil.copy(key, here.folder / "keys")
    here.close()
    assert receiver.requests == []

    there = restore(here, install, allow_targets=receiver.target)
    there.up()
    received = receiver.wait_for(WAITING, within=30)
    parts = checked(there)

    sent = {json.loads(request.body)["currentValue"]["id"] for request in received}
    assert sent == {f"c{number}" for number in range(WAITING)}
    now = int(time.time())
    verdicts = {
        check_signature(headers=request.headers, body=request.body, secrets=[SECRET], now=now).verdict
        for request in received
    }
    assert verdicts == {Verdict.RIGHT}
    assert [parts[name] for name in ("integrity", "secrets", "clock", "workers")] == ["ok"] * 4
    assert there.call("GET", "/webhooks", token) is not None  # tokens go on, too
