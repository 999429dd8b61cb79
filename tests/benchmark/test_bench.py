"""`webapp bench` itself, with real processes: what it says is true, and it leaves nothing behind but its history."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tests import postgresql
from tests.chaos.installation import children, is_alive

LIMIT_S = 100.0
MODEST = 0.4  # of the loop of requests.Session in the same run: a guard against a pipeline that broke, no figure


def bench(folder: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("WEBAPP_")}
    return subprocess.run(
        [sys.executable, "-m", "webapp", "bench", *arguments],
        cwd=folder,
        env=environment | {f"WEBAPP_{name.upper()}": value for name, value in settings.items()},
        capture_output=True,
        text=True,
        check=False,
        timeout=LIMIT_S,
    )


def figures(document: dict[str, Any]) -> dict[str, float]:
    return {each["name"]: each["value"] for each in document["figures"]}


def test_a_run_is_told_as_json_kept_in_the_history_and_leaves_nothing_else(tmp_path: Path) -> None:
    done = bench(tmp_path, "--seconds", "1", "--only", "latency,throughput", "--json", request_timeout="3s")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    found = figures(document)
    assert 0 < found["latency.commit.p50"] <= found["latency.commit.p99"] < 10_000
    assert found["ratio.session"] == pytest.approx(found["throughput.one"] / found["floor.session"], rel=0.01)
    assert found["ratio.urllib3"] == pytest.approx(found["throughput.one"] / found["floor.urllib3"], rel=0.01)
    assert max(found["ratio.session"], found["ratio.session_fifty"]) > MODEST
    assert not any("NOT SETTLED" in each["note"] for each in document["figures"])
    assert found["receiver.ceiling"] > found["floor.urllib3"]
    assert document["machine"]["database"].startswith("SQLite 3.")
    instance = tmp_path / "instance"
    assert sorted(path.name for path in instance.iterdir()) == ["bench.jsonl", "encryption.key", "secret.key"]
    assert json.loads((instance / "bench.jsonl").read_text()) == document


def test_on_postgresql_it_works_in_a_schema_of_its_own_which_is_gone_afterwards(tmp_path: Path) -> None:
    with postgresql.server() as pattern:
        url = pattern.format(database="postgres")
        engine = sa.create_engine(url.replace("postgresql:", "postgresql+psycopg:"), poolclass=sa.NullPool)
        with engine.begin() as connection:
            connection.exec_driver_sql("CREATE TABLE public.webhook (id text)")  # the installation's own
        done = bench(tmp_path, "--seconds", "1", "--only", "latency", "--json", database_url=url, queue_url=url)
        assert done.returncode == 0, done.stderr
        with engine.begin() as connection:
            assert set(sa.inspect(connection).get_schema_names()) == {"public", "information_schema"}
            assert sa.inspect(connection).get_table_names() == ["webhook"]
            assert connection.exec_driver_sql("SELECT count(*) FROM public.webhook").scalar() == 0
    document = json.loads(done.stdout)
    assert document["machine"]["database"].startswith("PostgreSQL ")
    found = figures(document)
    assert found["latency.accepted.p50"] > 0
    assert 0 < found["latency.bell.p50"] < found["latency.commit.p50"]


def test_one_that_is_stopped_early_takes_all_with_it(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("WEBAPP_")}
    asked = [sys.executable, "-m", "webapp", "bench", "--only", "latency"]
    running = subprocess.Popen(asked, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True)
    assert running.stderr
    try:
        for line in running.stderr:
            if "measuring latency" in line:
                break
        started = children(running.pid)
        assert len(started) == 3  # web, worker, receiver
        running.send_signal(signal.SIGTERM)
        assert running.wait(LIMIT_S) == 1
    finally:
        running.kill()
        running.stderr.close()
    assert not any(is_alive(pid) for pid in started)
    left = sorted(path.name for path in (tmp_path / "instance").iterdir())
    assert left == ["encryption.key", "secret.key"]


def test_a_section_that_does_not_exist_is_refused_with_those_that_do(tmp_path: Path) -> None:
    done = bench(tmp_path, "--only", "latency,speed")
    assert done.returncode == 2
    assert "there is no speed; there are: latency, ingest, throughput" in " ".join(done.stderr.split())
    assert not (tmp_path / "instance").exists()


def test_a_database_in_which_no_schema_can_be_made_is_said(tmp_path: Path) -> None:
    with postgresql.server() as pattern:
        url = pattern.format(database="postgres")
        engine = sa.create_engine(url.replace("postgresql:", "postgresql+psycopg:"), poolclass=sa.NullPool)
        with engine.begin() as connection:
            connection.exec_driver_sql("CREATE ROLE modest LOGIN")
        done = bench(tmp_path, "--seconds", "1", database_url=url.replace("tests@", "modest@"), queue_url="memory://")
    assert done.returncode == 1
    assert "needs the right CREATE" in done.stderr
    assert "Traceback" not in done.stderr
