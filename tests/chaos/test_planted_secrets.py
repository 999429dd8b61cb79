"""Forty secrets are planted in an installation of real processes; afterwards none is found where it must not be."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
from cryptography.fernet import Fernet

from tests.chaos.installation import Installation, free_port, wait_until
from tests.chaos.planting import SHORTEST, Planted, writings
from tests.receiver import Answer, Receiver

Install = Callable[..., Installation]
HOOKS = "/settings/webhooks"
MOST_OF_A_KIND = 2  # pages whose addresses differ by an id alone
HOSTILE = "evil\x1b[2J\x07"
LINKS = re.compile(r'(?:href|hx-get|src)="(/[^"#]*)')
# What people wrote and may read: it is on pages and in the database, and must not be in a log.
CONTENTS = ("value of an event", "answer of a receiver", "query of a webhook", "query of a page")


class Person:
    """Somebody at a browser, whose cookies and tokens of forms are secrets too."""

    def __init__(self, here: Installation, planted: Planted) -> None:
        self._here, self._planted = here, planted
        self.session = requests.Session()
        self.session.headers["User-Agent"] = HOSTILE.replace("\x1b", "").replace("\x07", "")

    def get(self, path: str) -> requests.Response:
        return self.session.get(self._here.url + path, timeout=20)

    def post(self, path: str, page: str = "/docs", **data: Any) -> requests.Response:
        found = re.search(r'name="csrf_token" value="([^"]+)"', self.get(page).text)
        assert found
        answer = self.session.post(self._here.url + path, {**data, "csrf_token": found[1]}, timeout=20)
        assert answer.status_code < 400, (path, answer.status_code)
        return answer

    def sign_in(self, email: str, password: str) -> None:
        self.post("/login", "/login", email=email, password=password, remember="y")
        for cookie in self.session.cookies:
            if cookie.name in {"session", "remember", "device"} and len(cookie.value or "") >= SHORTEST:
                self._planted.add(f"cookie {cookie.name}", (cookie.value or "").strip('"'))


@pytest.fixture
def planted() -> Planted:
    return Planted()


@pytest.fixture
def here(install: Install, planted: Planted, receiver: Receiver) -> Installation:
    mail = planted.add("password of mail", "mail-4711-0815-mail")
    return install(
        secret_key=planted.new("key of sessions"),
        encryption_keys=planted.add("key of encryption", Fernet.generate_key().decode()),
        metrics_token=planted.new("token of metrics"),
        mail_url=f"smtp://blue:{mail}@127.0.0.1:{free_port()}?from=a@b.example",
        allow_targets=f"{receiver.target},127.0.0.1:9",
        retry_schedule="0,100ms",
    )


def plant(here: Installation, planted: Planted, receiver: Receiver) -> tuple[Person, str]:
    """Let people do all that has to do with secrets; the operator's browser, and a token."""
    passwords = [planted.new("password") for _ in range(3)]
    here.run("user", "create", "--email", "ada@example.com", "--password", passwords[0], "--admin")
    token = planted.add("token", here.run("token", "create", "--user", "ada@example.com"))
    here.up()
    here.call("PUT", "/companies/c1", token, {"name": "Engines"})
    here.call("PUT", "/projects/p1", token, {"name": "Orders", "companyId": "c1"})
    ada = Person(here, planted)
    ada.sign_in("ada@example.com", passwords[0])
    for name in ("Shop", "Shop two"):
        page = ada.post("/settings/api", name=name, expires_in_days="").text
        planted.add("token", _found(r"pat_[0-9a-f]{32}_[\w-]{43}", page))
    ada.post("/settings/profile/password", old=passwords[0], new=passwords[1])
    for name in ("Bea", "Cy"):
        page = ada.post("/admin/users", name=name, email=f"{name.lower()}@example.com").text
        link = _found(r"/password-resets/([\w-]{20,})", page)
        planted.add("link to a password", link)
        if name == "Bea":
            Person(here, planted).post(f"/password-resets/{link}", f"/password-resets/{link}", new=passwords[2])
            bea = Person(here, planted)
            bea.sign_in("bea@example.com", passwords[2])
    page = ada.post("/projects/p1/members", email="dan@example.com", role="MEMBER").text
    planted.add("link of an invitation", _found(r"/invitations/([\w-]{20,})", page))
    inbox = ada.post("/inboxes", name="Mine").url.rsplit("/", 1)[-1]
    ada.post(f"/inboxes/{inbox}/secret", source="typed", secret=planted.new("secret of an inbox", "whsec_"))
    _plant_webhooks(here, planted, receiver, token, ada, passwords[1])
    return ada, token


def _plant_webhooks(
    here: Installation, planted: Planted, receiver: Receiver, token: str, ada: Person, password: str
) -> None:
    receiver.answers(500, 200, Answer(200, body=planted.new("answer of a receiver").encode()))
    targets = [
        receiver.url + "/?key=" + planted.new("query of a webhook").replace("+", "x"),
        receiver.url,
        "http://127.0.0.1:9/",
    ]
    for number, url in enumerate(targets):
        headers = [{"name": f"X-Key-{each}", "value": planted.new("value of a header")} for each in range(3)]
        secret = planted.new("secret of a webhook", "whsec_")
        values = {"name": f"W{number}", "url": url, "secret": secret, "headers": headers}
        made = here.call("POST", "/webhooks", token, values)
        turned = here.call("POST", f"/webhooks/{made['id']}/rotations", token, {})
        planted.add("generated secret", turned["secret"])
        here.call("POST", f"/webhooks/{made['id']}/pings", token)
        shown = ada.post(f"{HOOKS}/{made['id']}/reveals", password=password)
        assert turned["secret"] in shown.text
    for _ in range(4):
        value = {"id": "r1", "title": planted.new("value of an event")}
        here.call("POST", "/events", token, {"event": "TODO_CREATED", "projectId": "p1", "currentValue": value})


def _found(pattern: str, text: str) -> str:
    found = re.search(f"({pattern})" if "(" not in pattern else pattern, text)
    assert found, pattern
    return found[1]


def provoke(here: Installation, planted: Planted, token: str, ada: Person) -> list[requests.Response]:
    """Everything that goes wrong at a web server, with a secret in each request; what was answered."""
    wrong = planted.new("password")
    query = planted.new("query of a page")
    answers = [
        ada.get("/nowhere?token=" + query),
        ada.get(f"{HOOKS}?q={query}&status=nope"),
        requests.get(f"{here.url}/api/v1/projects?token={token}", timeout=20),
        requests.get(f"{here.url}/api/v1/projects", headers={"Authorization": f"Bearer {token[:-1]}x"}, timeout=20),
        requests.get(f"{here.url}/api/v1/events/{query.replace('/', '_')}", headers=_bearer(token), timeout=20),
        requests.post(
            f"{here.url}/api/v1/events", data=b'{"event": "' + query.encode(), headers=_bearer(token), timeout=20
        ),
        requests.get(f"{here.url}/docs", headers={"Host": "evil.example", "Cookie": f"session={query}"}, timeout=20),
        requests.post(f"{here.url}/login", data={"email": "ada@example.com", "password": wrong}, timeout=20),
        requests.get(f"{here.url}/metrics", headers=_bearer(planted.secrets["token of metrics"]), timeout=20),
        requests.get(f"{here.url}/readyz", timeout=20),
        requests.get(f"{here.url}/api/v1/openapi.json", timeout=20),
    ]
    stranger = Person(here, planted)
    page = stranger.get("/login").text
    token_of_form = _found(r'name="csrf_token" value="([^"]+)"', page)
    data = {"email": "ada@example.com", "password": wrong, "csrf_token": token_of_form}
    refused = stranger.session.post(f"{here.url}/login", data, timeout=20)
    assert refused.status_code == 422
    return [*answers, refused]


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}


def pages_of(person: Person) -> Iterator[tuple[str, str]]:
    """Address and text of each page that links lead to, breadth first."""
    waiting, seen, kinds = ["/", "/admin/users", "/admin/system", "/inboxes"], set[str](), Counter[str]()
    while waiting:
        path = waiting.pop(0)
        kind = re.sub(r"(?<=/)\w*\d\w*", "*", path.partition("?")[0])
        if path in seen or path.startswith("/static/") or kinds[kind] == MOST_OF_A_KIND:
            continue
        seen.add(path)
        kinds[kind] += 1
        answer = person.get(path.replace("&amp;", "&"))
        assert answer.status_code < 500, path
        yield path, answer.text + str(answer.headers).replace("Set-Cookie", "")
        waiting += LINKS.findall(answer.text)


@pytest.mark.timeout(240)
@pytest.mark.proves("A54", "W06", "W21", "W24", "W25", "W26", "W29", "W31", "W32")
def test_forty_planted_secrets_are_found_nowhere(here: Installation, planted: Planted, receiver: Receiver) -> None:
    here.run("db", "upgrade")
    ada, token = plant(here, planted, receiver)
    settled = "SELECT count(*) FROM delivery WHERE state IN ('succeeded', 'failed')"
    wait_until(lambda: here.rows(settled)[0][0] >= 11, 30, "all but those of a paused webhook are settled")
    answers = provoke(here, planted, token, ada)
    assert len(planted.secrets) >= 40, sorted(planted.secrets)

    found: dict[str, Any] = {}
    for answer in answers:
        found["answer of " + answer.url[:60]] = planted.found_in(answer.text, but=["query of a page"])
    for path, text in pages_of(ada):
        found[path] = planted.found_in(text, but=[*CONTENTS, "cookie"])
    calls = ["/webhooks", "/events", "/deliveries", "/projects", "/companies"]
    calls += [f"/deliveries/{row[0]}" for row in here.rows("SELECT id FROM delivery")]
    calls += [f"/webhooks/{row[0]}" for row in here.rows("SELECT id FROM webhook")]
    for call in calls:
        found[call] = planted.found_in(str(here.call("GET", call, token)), but=CONTENTS)
    assert len(found) > 70
    sent = b"".join(request.raw_head + request.body for request in receiver.requests)
    found["requests"] = planted.found_in(sent, but=["value of a header", *CONTENTS])
    found["check"] = planted.found_in(_checked(here))
    backup = here.folder / "backup.db"
    here.run("backup", str(backup))
    found["backup"] = planted.found_in(backup.read_bytes(), but=CONTENTS)
    here.close()
    found["log"] = planted.found_in(here.log.read_bytes())
    found["files"] = planted.found_in_files(here.folder / "instance", but=CONTENTS)
    assert {place: what for place, what in found.items() if what} == {}

    lines = here.printed().splitlines()
    assert len(lines) > 3
    assert [line for line in lines if not line.isprintable()] == []
    assert not [line for line in lines if "evil" in line and not line.startswith("{")]


def _checked(here: Installation) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "webapp", "check"],
        cwd=here.folder, env=here.environment, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert "mail" in done.stdout.lower()
    return done.stdout + done.stderr


@pytest.mark.proves("A54", "W31")
@pytest.mark.parametrize("command", [["check"], ["worker"]])
def test_passwords_of_what_cannot_be_reached_are_not_printed(
    install: Install, planted: Planted, command: list[str]
) -> None:
    port = free_port()
    secret = {what: planted.new(what).replace("/", "x").replace("+", "y") for what in ("db", "redis", "mail", "proxy")}
    planted.secrets |= secret
    here = install(
        database_url=f"postgresql://blue:{secret['db']}@127.0.0.1:{port}/blue",
        queue_url=f"redis://:{secret['redis']}@127.0.0.1:{port}/0",
        mail_url=f"smtps://blue:{secret['mail']}@127.0.0.1:{port}?from=a@b.example",
        outbound_proxy=f"http://blue:{secret['proxy']}@127.0.0.1:{port}",
    )
    done = subprocess.run(
        [sys.executable, "-m", "webapp", *command],
        cwd=here.folder, env=here.environment, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode != 0
    assert planted.found_in(done.stdout + done.stderr) == []


def test_a_secret_is_found_however_it_is_written(planted: Planted) -> None:
    secret = planted.new("secret", "whsec_")
    for writing in writings(secret):
        assert planted.found_in(b"before " + writing + b" after") == ["secret"]
    assert planted.found_in("nothing of it") == []
    assert planted.found_in(secret, but=["secret"]) == []
