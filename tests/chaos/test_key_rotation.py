"""`webapp rotate-keys` while a worker sends: no attempt fails for it, and every signature stays right."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from tests.chaos.installation import Installation, wait_until
from tests.chaos.test_kills import publish
from tests.factories import SECRET
from tests.receiver import Answer, Receiver
from webapp.delivery.signing import Verdict, check

Install = Callable[..., Installation]


@pytest.mark.proves("W24")
def test_keys_are_rotated_while_deliveries_go_out(install: Install, receiver: Receiver) -> None:
    receiver.answers(Answer(200, delay=0.02))
    here = install(allow_targets=receiver.target)
    here.run("db", "upgrade")
    here.run("user", "create", "--email", "ada@example.com", "--password", "correct horse battery staple", "--admin")
    token = here.run("token", "create", "--user", "ada@example.com")
    here.up()
    here.call("PUT", "/companies/c1", token, {"name": "Analytical Engines"})
    here.call("PUT", "/projects/p1", token, {"name": "Orders", "companyId": "c1"})
    here.call("POST", "/webhooks", token, {"name": "Orders", "url": receiver.url, "secret": SECRET})

    said = []
    for _ in range(3):
        publish(here, token, 400)
        said.append(here.run("rotate-keys", "--new"))

    wait_until(
        lambda: here.rows("SELECT count(*) FROM delivery WHERE state = 'succeeded'") == [(1200,)], 60, "all arrive"
    )
    assert here.rows("SELECT count(*) FROM attempt WHERE status IS NOT 200") == [(0,)]
    now = int(time.time())
    verdicts = {
        check(headers=request.headers, body=request.body, secrets=[SECRET], now=now).verdict
        for request in receiver.requests
    }
    assert verdicts == {Verdict.RIGHT}
    assert ["1 encrypted anew" in text and "0 cannot be read" in text for text in said] == [True] * 3
    keys = (here.folder / "instance" / "encryption.key").read_text().split()
    assert len(keys) == 4
    assert not [secret for secret in (*keys, SECRET) if secret in here.printed()]
