"""Every notation of every address, judged by a table of its own, and what other parsers make of an accepted URL."""

from __future__ import annotations

import random
import socket
from collections.abc import Callable
from datetime import timedelta
from ipaddress import IPv4Address, IPv6Address, ip_network
from urllib.parse import quote, urlsplit

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from urllib3.util import parse_url

from tests.receiver import Receiver
from webapp.delivery.addresses import AddressRefused, Policy, parse, vet
from webapp.delivery.resolving import Resolution
from webapp.delivery.sending import Outgoing, Sender

CLOSED = Policy()
OPEN_HTTP = Policy.from_values(allow_http=True)
NAMED = parse("https://hook.example.com/", CLOSED)

# Written down again, as the code's own table cannot check itself.
CLOSED_IPV4 = [
    *map(ip_network, ("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "168.63.129.16", "169.254.0.0/16")),
    *map(ip_network, ("172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16")),
    *map(ip_network, ("198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4")),
]
OPEN_IPV6 = ip_network("2000::/3")
CLOSED_IN_OPEN_IPV6 = [*map(ip_network, ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"))]
CARRIERS = ("::ffff:{}", "::{}", "::ffff:0:{}", "64:ff9b::{}", "64:ff9b:1::{}", "fe80::5efe:{}", "2002:{hex}::1")
CARRIERS += ("2001:0:{hex}::1", "2001::{flipped}")
DIGITS = {
    "fullwidth": "０１２３４５６７８９",
    "arabic": "٠١٢٣٤٥٦٧٨٩",
    "mathematical": "𝟎𝟏𝟐𝟑𝟒𝟓𝟔𝟕𝟖𝟗",
    "circled": "⓪①②③④⑤⑥⑦⑧⑨",
    "superscript": "⁰¹²³⁴⁵⁶⁷⁸⁹",
}
DOTS = "。．｡․"
INVISIBLE = "\u00ad\u200b\u200c\u2060\ufeff"


def is_open_by_the_table(address: IPv4Address | IPv6Address) -> bool:
    if isinstance(address, IPv4Address):
        return not any(address in network for network in CLOSED_IPV4)
    return address in OPEN_IPV6 and not any(address in network for network in CLOSED_IN_OPEN_IPV6)


def is_accepted(host: str, rest: str = "/") -> bool:
    try:
        parse(f"https://{host}{rest}", CLOSED)
    except AddressRefused:
        return False
    return True


def is_open(address: IPv4Address | IPv6Address) -> bool:
    try:
        vet(address, NAMED, CLOSED)
    except AddressRefused:
        return False
    return True


def _number(dice: random.Random, value: int) -> str:
    """A number as C's inet_aton reads it, and as nobody should."""
    octal = f"{value:o}"
    forms = (str(value), hex(value), f"0X{value:X}", f"0{octal}", f"0o{octal}", f"000{octal}", f"0x000{value:x}")
    return dice.choice(forms)


def _short(dice: random.Random, address: IPv4Address) -> str:
    """One to four parts, the last one standing for all the rest, each in a base of its own."""
    count = dice.randint(1, 4)
    number = int(address)
    parts = [number >> (24 - 8 * place) & 0xFF for place in range(count - 1)]
    parts.append(number & (2 ** (8 * (5 - count)) - 1))
    return ".".join(_number(dice, part) for part in parts)


def _padded(dice: random.Random, address: IPv4Address) -> str:
    return ".".join(f"{octet:0{dice.randint(3, 5)}d}" for octet in address.packed) + "." * dice.randint(0, 1)


def _in_other_digits(dice: random.Random, address: IPv4Address) -> str:
    digits = dice.choice(list(DIGITS.values()))
    text = list(str(address))
    for place in dice.sample(range(len(text)), dice.randint(1, len(text))):
        text[place] = digits[int(text[place])] if text[place].isdigit() else dice.choice(DOTS)
    return "".join(text)


def _escaped(dice: random.Random, address: IPv4Address) -> str:
    text = list(str(address))
    for place in dice.sample(range(len(text)), dice.randint(1, len(text))):
        text[place] = f"%{ord(text[place]):02x}"
    return "".join(text)


def _embedded(dice: random.Random, address: IPv4Address) -> str:
    number, flipped = int(address), int(address) ^ 0xFFFFFFFF
    carrier = dice.choice(CARRIERS)
    tail = dice.choice((str(address), f"{number >> 16:x}:{number & 0xFFFF:x}"))
    hexed, back = (f"{each >> 16:x}:{each & 0xFFFF:x}" for each in (number, flipped))
    host = carrier.format(tail, hex=hexed, flipped=back)
    return f"[{host}{dice.choice(('', '%25eth0', '%1', '%'))}]"


def _disturbed(dice: random.Random, address: IPv4Address) -> str:
    text = str(address)
    place = dice.randint(0, len(text))
    extra = dice.choice((*INVISIBLE, " ", "\t", "\n", "\x00", "+", ".", ",", "\\", "@", "0.", "%00"))
    disturbed = text[:place] + extra + text[place:]
    return f"{disturbed}x" if disturbed.strip(" ") == text or disturbed.startswith(f"{text}/") else disturbed


def _beside(dice: random.Random, address: IPv4Address) -> str:
    number = int(address)
    forms = (f"[{address}]", f"{address}..", f"user@{address}", f"@{address}", f"{number + 2**32}", f"-{number}")
    return dice.choice((*forms, f"{address}%eth0", f"0b{number:b}", f"{address}.{address}", f"{number}."))


NOTATIONS: tuple[Callable[[random.Random, IPv4Address], str], ...] = (
    *(_short, _short, _padded, _in_other_digits, _escaped, _embedded, _disturbed, _beside),
)


def _ipv6(dice: random.Random, address: IPv6Address) -> str:
    """Any right spelling of an IPv6 address: they all mean the same one."""
    number = int(address)
    dotted = f"{IPv6Address(number >> 32 << 32).exploded[:-9]}{IPv4Address(number & 0xFFFFFFFF)}"
    zeros = ":".join(f"{number >> 112 - 16 * place & 0xFFFF:x}" for place in range(8))
    text = dice.choice((str(address), address.exploded, zeros, dotted))
    return dice.choice((text, text.upper()))


def check_ipv4(dice: random.Random, address: IPv4Address) -> None:
    """The canonical form is judged by the table, every other notation is refused, whatever it means."""
    expected = is_open_by_the_table(address)
    assert is_accepted(str(address)) is expected, address
    assert is_open(address) is expected, address
    notation = dice.choice(NOTATIONS)(dice, address)
    if notation != str(address):
        assert not is_accepted(notation), f"{notation!r} for {address}"


def check_ipv6(dice: random.Random, address: IPv6Address) -> None:
    expected = is_open_by_the_table(address)
    text = _ipv6(dice, address)
    assert is_accepted(f"[{text}]") is expected, text
    assert is_open(address) is expected, address
    assert not is_accepted(text), text
    zone = dice.choice(("%25eth0", "%eth0", "%1", "%25"))
    assert not is_accepted(f"[{text}{zone}]"), text


def _near_ipv4(dice: random.Random) -> IPv4Address:
    """Anywhere, or in a closed range, or at its border."""
    network = dice.choice(CLOSED_IPV4)
    first, last = int(network.network_address), int(network.broadcast_address)
    near = dice.choice((dice.getrandbits(32), dice.randint(first, last), first, last, first - 1, last + 1))
    return IPv4Address(near % 2**32)


def _near_ipv6(dice: random.Random) -> IPv6Address:
    network = dice.choice([OPEN_IPV6, *CLOSED_IN_OPEN_IPV6, *map(ip_network, ("::/96", "::ffff:0:0/96", "fe80::/10"))])
    first, last = int(network.network_address), int(network.broadcast_address)
    inside = dice.randint(first, last)
    near = dice.choice((dice.getrandbits(128), inside, inside, first, last, first - 1, last + 1))
    return IPv6Address(near % 2**128)


@pytest.mark.proves("A43")
@settings(max_examples=1_000, deadline=None)
@given(st.randoms(use_true_random=False))
def test_an_ipv4_address_is_open_in_one_notation_or_in_none(dice: random.Random) -> None:
    check_ipv4(dice, _near_ipv4(dice))


@pytest.mark.proves("A43")
@settings(max_examples=500, deadline=None)
@given(st.randoms(use_true_random=False))
def test_an_ipv6_address_is_judged_alike_in_every_spelling(dice: random.Random) -> None:
    check_ipv6(dice, _near_ipv6(dice))


@pytest.mark.soak
@pytest.mark.timeout(1800)
@pytest.mark.proves("A43")
def test_a_million_addresses_in_random_notations() -> None:
    dice = random.Random()
    for _ in range(800_000):
        check_ipv4(dice, _near_ipv4(dice))
    for _ in range(200_000):
        check_ipv6(dice, _near_ipv6(dice))


def test_the_notations_are_those_that_systems_understand() -> None:
    """What inet_aton reads as an address is among them: the check is not about strange texts alone."""
    dice = random.Random(1)
    address = IPv4Address("169.254.169.254")
    understood = {text for text in (_short(dice, address) for _ in range(500)) if _aton(text) == address}
    assert len(understood) > 50
    assert {"0xa9fea9fe", "2852039166", "0251.0376.0251.0376"} <= {
        text.lower() for text in (_short(dice, address) for _ in range(20_000))
    }


def _aton(text: str) -> IPv4Address | None:
    try:
        return IPv4Address(socket.inet_aton(text))
    except OSError:
        return None


NAMES = ("example.com", "hook.example.com", "a-b.example.org", "xn--bcher-kva.example", "x_y.example.net", "8.8.8.8")
NAMES += ("bücher.example", "[2606:4700::1111]", "EXAMPLE.com", "example.com.", "127.0.0.1", "a.b.c.d.example")
TRICKS = ("\\", "@", "#", "?", "/", ":", "%", "%40", "%2f", "%00", "%5c", "\t", "\n", "\r", " ", "[", "]", ";", "&")
TRICKS += (
    "..",
    "//",
    ":80",
    ":443",
    ":0",
    ":",
    "user@",
    "user:pass@",
    "\u3002",
    "\uff0f",
    "\u2044",
    "\u200b",
    "ß",
    "ﬁ",
)
SCHEMES = ("https://", "https://", "http://", "HTTPS://", "https:", "https:/", "https:///", "//", "ftp://", " https://")


def a_url(dice: random.Random) -> str:
    """A URL of parts that are usual and of parts that parsers have quarrelled about."""
    parts = [dice.choice(NAMES)]
    for _ in range(dice.choice((0, 0, 1, 1, 2, 3))):
        part = dice.choice((dice.choice(TRICKS), dice.choice(TRICKS), dice.choice(NAMES)))
        parts.insert(dice.randint(0, len(parts)), part)
    port = dice.choice(("", "", ":443", ":8443", ":65535", ":080", ":99999", ":8443:80"))
    path = dice.choice(
        ("", "/", "/a?b=c", "?q", "/@evil.example/", "/\\evil.example", "/a%2f..", "/ü", "//evil.example")
    )
    return dice.choice(SCHEMES) + "".join(parts) + port + path


def check_agreement(text: str) -> bool:
    """Whether it was accepted. If so, every parser names the same host and port, whatever spelling it is given."""
    try:
        target = parse(text, OPEN_HTTP)
    except AddressRefused:
        return False
    port = 443 if target.is_encrypted else 80
    theirs, standard = parse_url(target.url), urlsplit(target.url)
    prepared = urlsplit(requests.Request("POST", target.url).prepare().url or "")
    assert (theirs.host or "").strip("[]") == target.host, text
    assert (standard.hostname, prepared.hostname) == (target.host, target.host), text
    assert {theirs.port or port, standard.port or port, prepared.port or port} == {target.port}, text
    assert (theirs.auth, standard.username) == (None, None), text
    assert parse(target.url, OPEN_HTTP) == target, text
    # The text as it was typed must not mean another host to them either.
    typed = urlsplit(text.strip(" "))
    host = (typed.hostname or "").rstrip(".")
    assert host == target.host or (not host.isascii() and target.host.isascii()), text
    return True


@pytest.mark.proves("A44")
def test_all_parsers_name_the_host_that_ours_does() -> None:
    dice = random.Random()
    assert sum(check_agreement(a_url(dice)) for _ in range(3_000)) > 300


@pytest.mark.soak
@pytest.mark.timeout(1800)
@pytest.mark.proves("A44")
def test_all_parsers_name_the_host_that_ours_does_for_a_hundred_thousand_urls() -> None:
    dice = random.Random()
    assert sum(check_agreement(a_url(dice)) for _ in range(100_000)) > 10_000


class EveryName:
    """A resolver to whom every name is the receiver's; it remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def resolve(self, host: str, _deadline: float) -> Resolution:
        self.asked.append(host)
        return Resolution((IPv4Address("127.0.0.2"),))


@pytest.fixture(scope="module")
def listening() -> Receiver:
    with Receiver("127.0.0.2") as receiver:
        yield receiver


@pytest.mark.proves("A44")
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.randoms(use_true_random=False))
def test_the_connection_goes_to_the_host_that_all_parsers_name(listening: Receiver, dice: random.Random) -> None:
    names = EveryName()
    policy = Policy.from_values(allow_http=True, allow_cidrs=["127.0.0.2/32"])
    sender = Sender(policy, timeout=timedelta(seconds=5), resolver=names)  # type: ignore[arg-type]
    name = dice.choice(["127.0.0.2", "127.0.0.1", *(name for name in NAMES if not name.startswith(("[", "8")))])
    path = quote(dice.choice(("/", "/a?b=c", "/@evil.example/", "//evil.example/x", "/a;b")), safe="/?=@;")
    url = f"http://{name}:{listening.port}{path}"

    outcome = sender.send(Outgoing(url, (), b"{}"))

    sender.close()
    if outcome.status is None:
        assert name == "127.0.0.1"
        return
    request = listening.requests[-1]
    theirs = parse_url(parse(url, policy).url)
    assert outcome.peer == "127.0.0.2"
    assert names.asked == ([] if name == "127.0.0.2" else [theirs.host])
    assert request.header("Host") == f"{theirs.host}:{listening.port}"
    assert request.path == path
