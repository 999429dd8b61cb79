"""A real disk that fills up under real processes, on demand."""

from __future__ import annotations

import subprocess
import tempfile
import time
import urllib.error
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.installation import CREATED, Installation, wait_until
from tests.chaos.pairs import SQLITE, Pair
from tests.chaos.receiver import ReceiverProcess
from tests.requirements import unavailable

DISK_MB = 24
FULL_FOR_S = 60


def post(here: Installation, number: int) -> tuple[int, float]:
    """Post one event; the status, and the seconds that took."""
    body = {"event": CREATED, "projectId": "p1", "currentValue": {"id": f"c{number}", "text": "x" * 2_000}}
    begun = time.monotonic()
    try:
        here.call("POST", "/events", here.token, body)
    except urllib.error.HTTPError as error:
        return error.code, time.monotonic() - begun
    return 202, time.monotonic() - begun


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A disk of its own, of a few megabytes."""
    folder = Path(tempfile.mkdtemp(prefix="webapp-disk-"))
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m", "tmpfs", folder], check=False, capture_output=True, text=True
    )
    if mounted.returncode != 0:
        folder.rmdir()
        unavailable(f"no disk can be made here: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)
    folder.rmdir()


@pytest.mark.soak
@pytest.mark.proves("A10", "F21")
@pytest.mark.timeout(600)
@pytest.mark.parametrize("pair", [SQLITE], indirect=True)
def test_a_minute_with_a_full_disk(small_disk: Path, pair: Pair, arrivals: ReceiverProcess) -> None:
    here = pair.install(small_disk, allow_targets=arrivals.target)
    here.log = arrivals.file.with_name("log.txt")
    try:
        web, worker = here.web(), here.worker()
        here.webhook(arrivals.url("/"))
        taken = sum(post(here, number)[0] == 202 for number in range(100))
        ballast = small_disk / "ballast"
        with ballast.open("wb") as file, pytest.raises(OSError, match="No space left"):
            while True:
                file.write(b"x" * 65_536)
                file.flush()
        statuses, until = [], time.monotonic() + FULL_FOR_S
        while time.monotonic() < until:
            statuses.append(post(here, len(statuses))[0])
            time.sleep(0.02)
        taken += statuses.count(202)
        assert set(statuses) <= {202, 503}
        assert statuses[-20:] == [503] * 20
        ballast.unlink()
        freed_at = time.monotonic()
        assert here.rows("SELECT count(*) FROM event") == [(taken,)]
        wait_until(
            lambda: here.rows("SELECT count(*) FROM delivery WHERE state = 'succeeded'") == [(taken,)], 10, "all arrive"
        )
        print(f"{taken} taken, {statuses.count(503)} refused, all sent {time.monotonic() - freed_at:.1f} s after")
        assert (web.poll(), worker.poll()) == (None, None)
        attempts = here.rows("SELECT count(*) FROM attempt")[0][0]
        assert taken <= arrivals.count() <= attempts, "nothing goes out without an attempt that is stored"
        assert here.rows("PRAGMA integrity_check") == [("ok",)]
    finally:
        here.close(at_once=True)
