"""The samples of the guide are run against a request that is signed as the product signs."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from tests.factories import SECRET
from tests.requirements import requires
from webapp.delivery import signing
from webapp.folders import folder
from webapp.models import utc_now

SAMPLES = folder("templates") / "docs" / "samples"
OWN_SECRET = "no prefix, but long enough – ä"
BODY = '{"event":"TODO_CREATED","currentValue":{"title":"Größe – 100 €"}}'.encode()


def signed(secret: str, *, age_s: int = 0, older: str = "") -> dict[str, str]:
    """The headers of a real request with BODY."""
    return dict(
        signing.headers(
            delivery_id="dlv_a",
            event_word="TODO_CREATED",
            event_id="evt_a",
            attempt_number=1,
            body=BODY,
            timestamp=int(utc_now().timestamp()) - age_s,
            keys=[signing.Keys.of(each) for each in (secret, older) if each],
        )
    )


@pytest.fixture
def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@contextmanager
def running(command: list[str], port: int) -> Iterator[str]:
    """A receiver of the guide on a port, stopped at the end."""
    environment = {**os.environ, "PORT": str(port), "WEBHOOK_SECRET": SECRET}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield f"http://127.0.0.1:{port}/"
        finally:
            process.kill()


def post(url: str, body: bytes, headers: dict[str, str]) -> int:
    """Send it as soon as somebody listens; the status."""
    session = requests.Session()
    session.trust_env = False
    retry = requests.adapters.Retry(connect=80, backoff_factor=0.05, backoff_max=0.2)
    session.mount("http://", requests.adapters.HTTPAdapter(max_retries=retry))
    with session:
        return session.post(url, data=body, headers=headers, timeout=10).status_code


@pytest.mark.parametrize("program", ["node", "python"])
def test_the_receivers_take_what_is_right_and_refuse_what_is_not(program: str, free_port: int) -> None:
    command = [requires("node"), str(SAMPLES / "receiver.mjs")] if program == "node" else []
    with running(command or [sys.executable, "-u", str(SAMPLES / "receiver.py")], free_port) as url:
        headers = signed(SECRET)
        assert post(url, BODY, headers) == 204
        assert post(url, BODY + b"\n", headers) == 401
        assert post(url, BODY, signed(OWN_SECRET)) == 401
        assert post(url, BODY, {**headers, "X-Signature": headers["X-Signature"].upper()}) == 401
        assert post(url, BODY, {"Content-Type": "application/json"}) == 401


NODE_JUDGE = """
import { readFileSync } from "node:fs";
const { isRight } = await import(process.env.SAMPLE);
const { headers, secret } = JSON.parse(process.env.GIVEN);
console.log(isRight(readFileSync("body.json"), headers, secret) ? "right" : "wrong");
"""
PYTHON_JUDGE = """
import json, os, pathlib, runpy
given = json.loads(os.environ["GIVEN"])
is_right = runpy.run_path(os.environ["SAMPLE"])["is_right"]
print("right" if is_right(pathlib.Path("body.json").read_bytes(), given["headers"], given["secret"]) else "wrong")
"""
Judge = Callable[[bytes, dict[str, str], str], str]


def by_node(folder: Path) -> Judge:
    node = requires("node")

    def judge(body: bytes, headers: dict[str, str], secret: str) -> str:
        given = json.dumps({"headers": headers, "secret": secret})
        sample = (SAMPLES / "standard.mjs").as_uri()
        return run([node, "--input-type=module", "-e", NODE_JUDGE], folder, body, GIVEN=given, SAMPLE=sample)

    return judge


def by_python(folder: Path) -> Judge:
    def judge(body: bytes, headers: dict[str, str], secret: str) -> str:
        given = json.dumps({"headers": headers, "secret": secret})
        return run([sys.executable, "-c", PYTHON_JUDGE], folder, body, GIVEN=given, SAMPLE=str(SAMPLES / "standard.py"))

    return judge


def by_shell(folder: Path) -> Judge:
    requires("openssl")

    def judge(body: bytes, headers: dict[str, str], secret: str) -> str:
        variables = {"ID": "webhook-id", "TIMESTAMP": "webhook-timestamp", "SIGNATURE": "webhook-signature"}
        given = {name: headers[header] for name, header in variables.items()}
        return run([requires("bash"), str(SAMPLES / "standard.sh")], folder, body, WEBHOOK_SECRET=secret, **given)

    return judge


def run(command: list[str], folder: Path, body: bytes, **variables: str) -> str:
    """What a sample prints, with the body in body.json beside it."""
    (folder / "body.json").write_bytes(body)
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, **variables}, capture_output=True, text=True, timeout=60, check=True
    )
    return done.stdout.strip()


@pytest.mark.parametrize("judge_in", [by_node, by_python, by_shell])
def test_the_standard_samples_tell_right_from_wrong(judge_in: Callable[[Path], Judge], tmp_path: Path) -> None:
    judge = judge_in(tmp_path)
    headers = signed(SECRET)

    assert judge(BODY, headers, SECRET) == "right"
    assert judge(BODY, signed(OWN_SECRET + " newer", older=SECRET), SECRET) == "right"
    assert judge(BODY + b" ", headers, SECRET) == "wrong"
    assert judge(BODY, {**headers, "webhook-id": "dlv_b"}, SECRET) == "wrong"
    assert judge(BODY, signed(OWN_SECRET), SECRET) == "wrong"


@pytest.mark.parametrize("judge_in", [by_node, by_python])
def test_the_standard_samples_take_a_secret_without_prefix(judge_in: Callable[[Path], Judge], tmp_path: Path) -> None:
    assert judge_in(tmp_path)(BODY, signed(OWN_SECRET), OWN_SECRET) == "right"


@pytest.mark.parametrize("judge_in", [by_node, by_python])
@pytest.mark.parametrize(("age_s", "verdict"), [(290, "right"), (310, "wrong"), (-290, "right"), (-310, "wrong")])
def test_the_standard_samples_accept_five_minutes(
    judge_in: Callable[[Path], Judge], tmp_path: Path, age_s: int, verdict: str
) -> None:
    assert judge_in(tmp_path)(BODY, signed(SECRET, age_s=age_s), SECRET) == verdict


@pytest.mark.parametrize("secret", [SECRET, OWN_SECRET])
def test_a_signature_can_be_checked_by_hand(tmp_path: Path, secret: str) -> None:
    requires("openssl")
    given = {"WEBHOOK_SECRET": secret, "SIGNATURE": signed(secret)["X-Signature"]}
    command = [requires("bash"), str(SAMPLES / "verify.sh")]

    assert run(command, tmp_path, BODY, **given) == "right"
    assert run(command, tmp_path, BODY + b"\n", **given) == "wrong"
