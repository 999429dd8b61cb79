"""Name servers that lie, flip, stall and flood: nothing but the vetted address is ever contacted."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest

from tests.dns_server import DnsServer
from tests.receiver import Receiver
from webapp.delivery.addresses import Policy
from webapp.delivery.resolving import Resolver
from webapp.delivery.sending import Outcome, Outgoing, Sender
from webapp.models.delivery import ErrorWord

NAME = "hook.example.com"
GOOD = "127.0.0.2"
CANARY_HOSTS = ("127.0.0.1", "127.0.0.3", "::1")
LIMIT_S = 1.0
INWARDS = {
    "A": ("127.0.0.1", "127.0.0.3", "0.0.0.0", "169.254.169.254", "10.0.0.1"),
    "AAAA": ("::1", "::ffff:127.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1", "fd00::1", "2002:7f00:1::1", "::"),
}


@pytest.fixture
def dns() -> Iterator[DnsServer]:
    with DnsServer() as server:
        yield server


@pytest.fixture
def listening() -> Iterator[tuple[Receiver, list[Receiver]]]:
    """A receiver, and at its port canaries on every other address of this machine that the answers name."""
    while True:
        port = random.randrange(20_000, 30_000)
        with ExitStack() as stack:
            try:
                canaries = [stack.enter_context(Receiver(host, port)) for host in CANARY_HOSTS]
                receiver = stack.enter_context(Receiver(GOOD, port))
            except OSError:
                continue
            yield receiver, canaries
            return


@pytest.fixture
def sender(dns: DnsServer, tmp_path: Path) -> Iterator[Sender]:
    (tmp_path / "hosts").write_text("")
    policy = Policy.from_values(allow_http=True, allow_cidrs=[f"{GOOD}/32"])
    resolver = Resolver([dns.address], tmp_path / "hosts")
    sender = Sender(policy, timeout=timedelta(seconds=LIMIT_S), resolver=resolver)
    yield sender
    sender.close()


Send = Callable[[], Outcome]


@pytest.fixture
def send(sender: Sender, listening: tuple[Receiver, list[Receiver]]) -> Iterator[Send]:
    """Send once; in the end no canary may have met anybody."""
    receiver, canaries = listening
    yield lambda: sender.send(Outgoing(f"http://{NAME}:{receiver.port}/", (), b"{}"))
    assert [(canary.host, canary.connections, canary.requests) for canary in canaries] == [
        (host, 0, []) for host in CANARY_HOSTS
    ]


def check_flipping_answers(dns: DnsServer, send: Send, attempts: int) -> None:
    """Each answer may be fine, inwards, or both; it changes from query to query."""
    dice = random.Random()
    succeeded = 0
    for _ in range(attempts):
        answers = {
            kind: [
                dice.choice(([GOOD] if kind == "A" else [], [dice.choice(inwards)], [GOOD][: kind == "A"]))
                for _ in range(3)
            ]
            for kind, inwards in INWARDS.items()
        }
        if dice.random() < 0.2:
            answers["A"][0] = [GOOD, dice.choice(INWARDS["A"])]
        for kind, lists in answers.items():
            dns.says(NAME, kind, *lists)
        dns.queries.clear()

        outcome = send()

        told = [*answers["A"][0], *answers["AAAA"][0]]
        assert dns.asked(NAME) in (["A"], ["A", "AAAA"])
        if not told:
            assert outcome.error is ErrorWord.DNS_NOT_FOUND
        else:
            assert outcome.is_success is (set(told) == {GOOD}), (told, outcome)
            assert outcome.error in {None, ErrorWord.ADDRESS_REFUSED}
        succeeded += outcome.is_success
    assert 0 < succeeded < attempts


@pytest.mark.proves("A42")
def test_flipping_answers_lead_to_no_canary(dns: DnsServer, send: Send) -> None:
    check_flipping_answers(dns, send, 200)


@pytest.mark.soak
@pytest.mark.timeout(1800)
@pytest.mark.proves("A42")
def test_ten_thousand_flipping_answers_lead_to_no_canary(dns: DnsServer, send: Send) -> None:
    check_flipping_answers(dns, send, 10_000)


@pytest.mark.proves("A41", "F55")
@pytest.mark.parametrize(
    ("trouble", "word"),
    [
        (lambda dns: dns.says(NAME, "A", [f"127.0.0.{number}" for number in range(1, 34)]), "address_refused"),
        (lambda dns: dns.says(NAME, "A", [f"93.184.216.{number}" for number in range(1, 34)]), "address_refused"),
        (lambda dns: dns.says(NAME, "A", ["93.184.216.34"] * 2 + ["127.0.0.1"]), "address_refused"),
        (lambda dns: dns.leads(NAME, "localhost"), "address_refused"),
        (lambda dns: dns.leads(NAME, "db.internal"), "address_refused"),
        (lambda dns: dns.leads_on(NAME, 9, "end.example.com"), "dns_not_found"),
        (lambda dns: dns.leads(NAME, NAME), "dns_not_found"),
        (lambda dns: dns.says(NAME, "A", []), "dns_not_found"),
        (lambda dns: None, "dns_not_found"),
        (lambda dns: dns.fails(NAME), "dns_timeout"),
        (lambda dns: dns.ignores(NAME), "dns_timeout"),
        (lambda dns: dns.stalls(NAME), "dns_timeout"),
        (lambda dns: dns.floods(NAME), "dns_timeout"),
        (lambda dns: dns.babbles(NAME), "dns_timeout"),
    ],
    ids=[
        *("33 inwards", "33 outwards", "one of three inwards", "alias of localhost", "alias of a closed name"),
        *("nine aliases", "alias of itself", "no addresses", "no such name", "failure", "silence"),
        *("a stalled TCP answer", "a flood of answers to others", "garbage"),
    ],
)
def test_a_name_in_trouble_ends_in_time_with_its_word(
    dns: DnsServer, send: Send, trouble: Callable[[DnsServer], None], word: str
) -> None:
    dns.says("end.example.com", "A", [GOOD])
    dns.says("localhost", "A", [GOOD])
    dns.says("db.internal", "A", [GOOD])
    trouble(dns)
    began = time.monotonic()

    outcome = send()

    assert (outcome.error, outcome.status, outcome.peer) == (word, None, None)
    assert outcome.sentence
    assert time.monotonic() - began < LIMIT_S + 0.5


@pytest.mark.proves("A41")
def test_the_hosts_file_is_vetted_at_every_attempt(dns: DnsServer, send: Send, tmp_path: Path) -> None:
    words = []
    for line in (f"{GOOD} {NAME}", f"127.0.0.1 {NAME}", f"::1 {NAME}", f"{GOOD} {NAME}\n127.0.0.3 {NAME}"):
        (tmp_path / "hosts").write_text(f"{line}\n")
        words.append(send().error)
    assert words == [None, *["address_refused"] * 3]
    assert dns.queries == []
