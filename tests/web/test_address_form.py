"""What the form and the API say of an address that may not be used: no address, one wording, and about as fast."""

from __future__ import annotations

import re
import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask

from tests.conftest import Browser, Cast
from tests.dns_server import DnsServer
from tests.receiver import Receiver
from webapp.accounts import tokens
from webapp.config import SettingsError
from webapp.request_extensions import limiter

LIST = "/settings/webhooks"
HTMX = {"HX-Request": "true"}
INSIDE = {  # what a name of the caller's choice leads to, inside
    "private.example.com": ("A", ["10.11.12.13"]),
    "loopback.example.com": ("A", ["127.0.0.1"]),
    "metadata.example.com": ("A", ["169.254.169.254"]),
    "mixed.example.com": ("A", ["93.184.216.34", "192.168.77.8"]),
    "sixth.example.com": ("AAAA", ["fd12:3456::9"]),
    "mapped.example.com": ("AAAA", ["::ffff:10.11.12.13"]),
}
ADDRESS = re.compile(r"\b(?:10|127|169\.254|172|192\.168)(?:\.[0-9]{1,3}){2,3}\b|fd12|::ffff|db-7\.corp", re.IGNORECASE)


@pytest.fixture
def names() -> Iterator[DnsServer]:
    with DnsServer() as names:
        for name, (kind, addresses) in INSIDE.items():
            names.says(name, kind, addresses)
        names.says("fine.example.com", "A", ["93.184.216.34"])
        names.leads("alias.example.com", "db-7.corp.internal")
        names.says("db-7.corp.internal", "A", ["10.11.12.13"])
        yield names


@pytest.fixture
def app(make_app: Callable[..., Flask], names: DnsServer, monkeypatch: pytest.MonkeyPatch) -> Flask:
    monkeypatch.setattr(limiter, "enabled", False)
    return make_app(dns_servers=names.address)


Ask = Callable[[str], Any]


@pytest.fixture
def ways(client: Browser, cast: Cast) -> dict[str, Ask]:
    """Every way on which a person's URL comes in."""
    token = {"Authorization": f"Bearer {tokens.create(cast.admin, 'a program')[1]}"}
    program = client.application.test_client()
    client.sign_in(cast.admin)
    form = {"name": "Orders", "events": "all", "secret": "generated"}
    return {
        "check": lambda url: client.post(f"{LIST}/url-checks", data={"url": url}, headers=HTMX),
        "form": lambda url: client.post(LIST, data={**form, "url": url}),
        "api": lambda url: program.post("/api/v1/webhooks", json={"name": "Orders", "url": url}, headers=token),
    }


@pytest.mark.proves("A47")
def test_no_answer_tells_where_a_name_leads(ways: dict[str, Ask]) -> None:
    hosts = [*INSIDE, "alias.example.com"]
    for way, ask in ways.items():
        for host in hosts:
            answer = ask(f"https://{host}/hooks")
            assert not ADDRESS.search(answer.text), (way, host)
            assert "private or reserved" in answer.text or "local network" in answer.text, (way, host, answer.text)


@pytest.mark.proves("A47")
def test_all_closed_addresses_are_refused_with_one_wording(ways: dict[str, Ask]) -> None:
    literals = ["10.11.12.13", "127.0.0.1", "169.254.169.254", "[fd12:3456::9]", "[::ffff:10.11.12.13]"]
    for way, ask in ways.items():
        said = set()
        for host in (*INSIDE, *literals):
            text = ask(f"https://{host}/hooks").text.replace(host, "HOST")
            said.update(re.findall(r"This is a private[^<\"]+", text))
        assert said == {"This is a private or reserved address. Use a public one, or ask the operator to open it."}, way


@pytest.mark.proves("A46")
def test_the_check_of_a_url_sends_nothing(ways: dict[str, Ask], names: DnsServer) -> None:
    """And the guard is on without any setting: what listens inside is not contacted, however it is named."""
    names.says("canary.example.com", "A", ["127.0.0.1"])
    with Receiver() as canary, Receiver("::1", canary.port) as sixth:
        hosts = ("127.0.0.1", "localhost", "[::1]", "canary.example.com", "2130706433", "[::ffff:127.0.0.1]")
        for ask in ways.values():
            for host in hosts:
                for scheme in ("http", "https"):
                    ask(f"{scheme}://{host}:{canary.port}/")
        assert (canary.connections, sixth.connections) == (0, 0)


@pytest.mark.proves("A46")
@pytest.mark.parametrize("ranges", ["0.0.0.0/0", "::/0", "0.0.0.0/1,128.0.0.0/1", "10.0.0.0/8,0.0.0.0/0"])
def test_a_start_with_a_range_that_opens_everything_is_refused(make_app: Callable[..., Flask], ranges: str) -> None:
    with pytest.raises(SettingsError, match="ALLOW_CIDRS"):
        make_app(allow_cidrs=ranges)


@pytest.mark.soak
@pytest.mark.proves("A47")
def test_refused_unresolvable_and_fine_take_about_as_long(ways: dict[str, Ask]) -> None:
    refused = ("private.example.com", "alias.example.com", "10.11.12.13")
    asked = {"check": (*refused, "nobody.example.com", "fine.example.com"), "api": refused}  # the API would save these
    for way, hosts in asked.items():
        took: dict[str, list[float]] = {host: [] for host in hosts}
        for _ in range(60):
            for host in hosts:
                began = time.perf_counter()
                ways[way](f"https://{host}/hooks")
                took[host].append(time.perf_counter() - began)
        medians = {host: statistics.median(spans) * 1000 for host, spans in took.items()}
        print(way, {host: f"{median:.1f} ms" for host, median in medians.items()})
        assert max(medians.values()) - min(medians.values()) < 50
