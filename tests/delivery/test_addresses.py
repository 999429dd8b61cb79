"""Which URLs and addresses are refused: the cases, the rules behind them for all inputs, and what an operator opens."""

import json
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from urllib3.util import parse_url

from webapp.delivery.addresses import (
    CLOSED_PORTS,
    AddressRefused,
    Policy,
    PolicyError,
    Refusal,
    parse,
    vet,
    vet_name,
)
from webapp.delivery.addresses.ranges import CLOSED_INSIDE_IPV6, CLOSED_IPV4, OPEN_IPV6

CASES = json.loads((Path(__file__).parents[1] / "cases" / "ssrf.json").read_text(encoding="utf-8"))
URL_CASES = [case for case in CASES if case["kind"] == "url"]
WITH_HTTP = " (ALLOW_HTTP=true)"

CLOSED = Policy()
OPEN_HTTP = Policy.from_values(allow_http=True)


def refusal(url: str, policy: Policy = CLOSED) -> Refusal | None:
    """Why a URL is refused, None when it is not."""
    try:
        parse(url, policy)
    except AddressRefused as refused:
        return refused.reason
    return None


def is_open(address: str, url: str = "https://hook.example.com/", policy: Policy = CLOSED) -> bool:
    target = parse(url, policy)
    try:
        vet(ip_address(address), target, policy)
    except AddressRefused:
        return False
    return True


@pytest.mark.proves("A40")
@pytest.mark.parametrize("case", URL_CASES, ids=lambda case: case["id"])
def test_each_case_is_judged_as_listed(case):
    url = case["case"].removesuffix(WITH_HTTP)
    policy = OPEN_HTTP if url != case["case"] else CLOSED

    assert (refusal(url, policy) is None) == (case["expect"] == "ALLOW"), case["reason"]


@pytest.mark.parametrize(
    ("url", "stored"),
    [
        ("  https://Example.COM:443 ", "https://example.com/"),
        ("https://example.com./a", "https://example.com/a"),
        ("https://example.com?a=1", "https://example.com/?a=1"),
        ("https://bücher.example.com/", "https://xn--bcher-kva.example.com/"),
        ("https://BÜCHER.example.com/", "https://xn--bcher-kva.example.com/"),
        ("https://example.com/%7Ea/../b?q=%2f&x=[1]", "https://example.com/%7Ea/../b?q=%2f&x=[1]"),
        ("https://example.com/bücher", "https://example.com/b%C3%BCcher"),
        ("https://[2606:4700:4700:0:0:0:0:1111]:8443/", "https://[2606:4700:4700::1111]:8443/"),
        ("https://x--y.example.com/", "https://x--y.example.com/"),
    ],
)
def test_what_is_stored_is_the_one_spelling(url, stored):
    target = parse(url, CLOSED)

    assert target.url == stored
    assert parse(target.url, CLOSED) == target


def test_a_foreign_name_is_shown_as_people_write_it():
    assert parse("https://xn--bcher-kva.example.com/", CLOSED).host_shown == "bücher.example.com"
    assert parse("https://[2606:4700::1]/", CLOSED).host_shown == "2606:4700::1"


@pytest.mark.parametrize(
    "url",
    [
        *("https://exa\u212aple.com/", "https://ﬁsh.example.com/", "https://a\u200bb.example.com/", "https://a.0x7f/"),
        *("https://xn--.example.com/", "https://xn--a.example.com/", "https://xn--localhost-.com/", "https://*.a.com/"),
        *(
            "https://a.example.com:４４３/",
            "https://a-.example.com/",
            "https://例え。テスト/",
            "https://☃.example.com/",
        ),
        *("https://example.com:65536/", "https://example.com\u00a0/", "https://example.com/\ud800", "", " ", "https"),
        *("//example.com/", "example.com", "https://[v1.fe]/", "https://[]/", "https://[1.2.3.4]/", "https://a]/"),
        *("https://example.com/\n", "https://example.com\x7f/", "https://example.com/\x00", "https://1.2.3.4:/"),
    ],
)
def test_texts_with_a_second_meaning_are_refused(url):
    reason = refusal(url)

    assert reason is not None
    assert reason.is_about_text


@pytest.mark.parametrize("reason", list(Refusal))
def test_each_refusal_has_a_sentence_that_names_no_address(reason):
    assert reason.sentence.endswith(".")
    assert str(AddressRefused(reason)) == reason.sentence


def test_all_refused_addresses_read_alike():
    closed = ["10.0.0.1", "127.0.0.1", "169.254.169.254", "[::1]", "[fd00::1]", "[::ffff:127.0.0.1]"]

    assert {refusal(f"https://{host}/") for host in closed} == {Refusal.CLOSED_ADDRESS}


def test_a_refusal_is_no_value_error():
    assert not issubclass(AddressRefused, ValueError)


@pytest.mark.parametrize("network", CLOSED_IPV4, ids=str)
def test_ipv4_is_refused_exactly_up_to_the_borders(network):
    first, last = int(network.network_address), int(network.broadcast_address)
    assert not is_open(str(IPv4Address(first)))
    assert not is_open(str(IPv4Address(last)))
    for neighbour in (first - 1, last + 1):
        if 0 <= neighbour < 2**32 and not any(IPv4Address(neighbour) in other for other in CLOSED_IPV4):
            assert is_open(str(IPv4Address(neighbour)))
            assert refusal(f"https://{IPv4Address(neighbour)}/") is None


@pytest.mark.parametrize("network", [*OPEN_IPV6, *CLOSED_INSIDE_IPV6], ids=str)
def test_ipv6_is_refused_exactly_up_to_the_borders(network):
    inside = network in OPEN_IPV6
    first, last = int(network.network_address), int(network.broadcast_address)

    assert is_open(str(IPv6Address(first))) is inside
    assert is_open(str(IPv6Address(last))) is inside
    assert is_open(str(IPv6Address(first - 1))) is not inside
    assert is_open(str(IPv6Address(last + 1))) is not inside


closed_ipv4 = st.sampled_from(CLOSED_IPV4).flatmap(
    lambda net: st.integers(int(net.network_address), int(net.broadcast_address)).map(IPv4Address)
)


@given(closed_ipv4, st.data())
def test_a_closed_ipv4_address_is_refused_in_every_notation(address, data):
    number = int(address)
    octets = list(address.packed)
    notations = [
        str(address),
        str(number),
        hex(number),
        f"0{number:o}",
        ".".join(hex(octet) for octet in octets),
        ".".join(f"0{octet:o}" for octet in octets),
        f"{octets[0]}.{number & 0xFFFFFF}",
        f"{octets[0]}.{octets[1]}.{number & 0xFFFF}",
        f"{address}.",
        "".join(chr(ord("０") + int(c)) if c.isdigit() else c for c in str(address)),
        str(address).replace(".", "。"),
        "".join(f"%{ord(c):02x}" for c in str(address)),
        f"[::ffff:{address}]",
        f"[::{address}]",
        f"[::ffff:0:{address}]",
        f"[64:ff9b::{address}]",
        f"[2002:{number >> 16:x}:{number & 0xFFFF:x}::1]",
        f"[::5efe:{address}]",
        f"user@{address}",
    ]
    assert refusal(f"https://{data.draw(st.sampled_from(notations))}/") is not None


@given(st.integers(0, 2**32 - 1).map(IPv4Address))
def test_every_other_ipv4_address_is_open(address):
    is_closed = any(address in network for network in CLOSED_IPV4)

    assert is_open(str(address)) is not is_closed
    assert (refusal(f"https://{address}/") is None) is not is_closed


@given(st.integers(0, 2**128 - 1).map(IPv6Address))
def test_ipv6_is_open_only_in_its_allowed_part(address):
    allowed = address in IPv6Network("2000::/3") and not any(address in network for network in CLOSED_INSIDE_IPV6)

    assert (refusal(f"https://[{address}]/") is None) is allowed


@given(st.integers(2**125, 2**126 - 1).map(IPv6Address))
def test_ipv6_of_the_allowed_part_is_open(address):
    closed = any(address in network for network in CLOSED_INSIDE_IPV6)

    assert (refusal(f"https://[{address}]/") is None) is not closed


host_texts = st.one_of(
    st.from_regex(r"[a-zA-Z0-9_-]{1,8}(\.[a-zA-Z0-9_-]{1,8}){0,3}\.?", fullmatch=True),
    st.text("aZ09.-_:@[]%\\/?#xüß。１\t ", min_size=1, max_size=12),
    st.integers(0, 2**32 - 1).map(lambda n: str(IPv4Address(n))),
)


@given(st.sampled_from(["https://", "HTTPS://", "http://"]), host_texts, st.text("/?a%.@:;[]&=", max_size=8))
def test_an_accepted_url_means_the_same_host_to_the_library(scheme, host, rest):
    try:
        target = parse(scheme + host + rest, OPEN_HTTP)
    except AddressRefused:
        return
    other = parse_url(target.url)

    assert (other.host or "").strip("[]") == target.host
    assert (other.port or (443 if target.is_encrypted else 80)) == target.port
    assert target.url.isascii()
    assert parse(target.url, OPEN_HTTP) == target


@given(st.text(max_size=40))
def test_no_text_raises_anything_but_a_refusal(text):
    assert refusal(f"https://{text}") is None or isinstance(refusal(f"https://{text}"), Refusal)
    assert refusal(text) is not None or text.strip(" ").lower().startswith("https://")


@pytest.mark.parametrize("port", [443, 1024, 8443, 65535, 6664, 6670, 9201])
def test_these_ports_are_open(port):
    assert refusal(f"https://example.com:{port}/") is None


@pytest.mark.parametrize("port", [1, 22, 80, 1023, *sorted(CLOSED_PORTS)])
def test_these_ports_are_closed(port):
    assert refusal(f"https://example.com:{port}/") is Refusal.CLOSED_PORT


def test_port_80_is_open_where_plain_http_is():
    assert refusal("http://example.com/", OPEN_HTTP) is None
    assert refusal("http://example.com/") is Refusal.NOT_ENCRYPTED


@pytest.mark.parametrize("name", ["metadata.google.internal.", "LOCALHOST", "db", "a.svc", "1.0.0.127.in-addr.arpa"])
def test_a_canonical_name_is_judged_like_the_own_one(name):
    with pytest.raises(AddressRefused):
        vet_name(name, parse("https://hook.example.com/", CLOSED), CLOSED)


class TestWhatTheOperatorOpens:
    def test_a_listed_address_opens_exactly_itself(self):
        policy = Policy.from_values(allow_http=False, allow_targets=["127.0.0.1:9000", "[fd00::5]:8443", "10.1.1.1:22"])

        assert refusal("http://127.0.0.1:9000/x", policy) is None
        assert refusal("https://[fd00::5]:8443/", policy) is None
        assert refusal("https://10.1.1.1:22/", policy) is None
        assert refusal("http://127.0.0.1:9001/", policy) is not None
        assert refusal("http://127.0.0.2:9000/", policy) is not None
        assert refusal("https://10.1.1.1/", policy) is not None

    def test_a_listed_name_opens_private_addresses_but_no_loopback_link_local_or_metadata(self):
        policy = Policy.from_values(allow_http=False, allow_targets=["Hooks.corp.LAN:8443", "box:80"])
        url = "https://hooks.corp.lan:8443/"

        assert refusal("http://box/", policy) is None
        assert is_open("10.0.0.5", url, policy)
        assert is_open("fd00::5", url, policy)
        closed = ["127.0.0.1", "::1", "169.254.1.1", "169.254.169.254", "fe80::1", "100.100.100.200", "168.63.129.16"]
        closed += ["fd00:ec2::254", "0.0.0.0", "::ffff:10.0.0.5", "224.0.0.1"]
        assert [address for address in closed if is_open(address, url, policy)] == []
        assert not is_open("10.0.0.5", "https://other.corp.lan:8443/", policy)

    def test_listed_localhost_opens_loopback(self):
        policy = Policy.from_values(allow_http=False, allow_targets=["localhost:9000"])

        assert is_open("127.0.0.1", "http://localhost:9000/", policy)
        assert is_open("::1", "http://localhost:9000/", policy)
        assert not is_open("169.254.169.254", "http://localhost:9000/", policy)
        assert refusal("http://localhost:9001/", policy) is not None

    def test_a_range_opens_only_what_lies_inside(self):
        policy = Policy.from_values(allow_http=False, allow_cidrs=["10.20.0.0/16"])

        assert is_open("10.20.255.255", policy=policy)
        assert not is_open("10.21.0.1", policy=policy)
        assert refusal("https://10.20.0.1/", policy) is None

    def test_loopback_opens_only_to_a_range_that_lies_in_it(self):
        narrow = Policy.from_values(allow_http=True, allow_cidrs=["127.0.0.2/32", "::1/128"])
        wide = Policy(allow_cidrs=(IPv4Network("64.0.0.0/2"), IPv4Network("0.0.0.0/0")))

        assert is_open("127.0.0.2", policy=narrow)
        assert is_open("::1", policy=narrow)
        assert not is_open("127.0.0.1", policy=narrow)
        assert not is_open("127.0.0.1", policy=wide)
        assert is_open("10.0.0.1", policy=wide)

    @pytest.mark.parametrize(
        ("address", "cidr"),
        [
            ("169.254.169.254", "169.254.0.0/16"),
            ("169.254.169.254", "169.254.169.254/32"),
            ("168.63.129.16", "168.63.129.16/32"),
            ("100.100.100.200", "100.64.0.0/10"),
            ("fd00:ec2::254", "fd00::/8"),
            ("0.0.0.0", "0.0.0.0/8"),
            ("::ffff:10.0.0.1", "::ffff:0:0/96"),
            ("64:ff9b::a00:1", "64:ff9b::/96"),
        ],
    )
    def test_metadata_and_disguised_addresses_never_open_by_a_range(self, address, cidr):
        assert not is_open(address, policy=Policy.from_values(allow_http=False, allow_cidrs=[cidr]))

    @pytest.mark.parametrize("cidr", ["0.0.0.0/0", "::/0", "0.0.0.0/1", "128.0.0.0/1", "8000::/1", "10.0.0.1/8", "x"])
    def test_there_is_no_off_switch(self, cidr):
        with pytest.raises(PolicyError, match="ALLOW_CIDRS"):
            Policy.from_values(allow_http=False, allow_cidrs=[cidr])

    def test_many_ranges_are_no_off_switch_either(self):
        with pytest.raises(PolicyError, match="off switch"):
            Policy.from_values(allow_http=False, allow_cidrs=[f"{octet}.0.0.0/8" for octet in range(256)])

    @pytest.mark.parametrize(
        "text", ["example.com", "example.com:0", "example.com:x", ":80", "a@b:80", "0x7f.1:80", ""]
    )
    def test_an_entry_that_is_not_host_and_port_is_named(self, text):
        with pytest.raises(PolicyError, match="ALLOW_TARGETS"):
            Policy.from_values(allow_http=False, allow_targets=[text])


class TestTheOwnAddress:
    policy = Policy.from_values(allow_http=False, base_url="http://127.0.0.1:5000")

    def test_the_inbox_is_always_open(self):
        assert refusal("http://127.0.0.1:5000/inbox/abc", self.policy) is None
        assert refusal("http://127.0.0.1:5000/inbox/abc/d?e=f", self.policy) is None
        assert is_open("127.0.0.1", "http://127.0.0.1:5000/inbox/abc", self.policy)

    @pytest.mark.proves("W54")
    @pytest.mark.parametrize(
        "rest",
        [
            *(":5000/", ":5000/inbox", ":5000/inbox/", ":5000/inboxes/x", ":5000/inbox/../api/v1/events"),
            *(":5000/inbox/%2e%2e/api", ":5000/inbox//api", ":5000/inbox/./a", ":5001/inbox/abc", "/inbox/abc"),
        ],
    )
    def test_everything_else_on_the_own_host_is_closed(self, rest):
        assert refusal(f"http://127.0.0.1{rest}", self.policy) is not None

    def test_the_own_public_name_is_closed_except_for_the_inbox(self):
        policy = Policy.from_values(allow_http=False, base_url="https://hooks.example.com")

        assert refusal("https://hooks.example.com/api", policy) is Refusal.OWN_ADDRESS
        assert refusal("https://HOOKS.example.com.:8443/", policy) is Refusal.OWN_ADDRESS
        assert refusal("https://hooks.example.com/inbox/a", policy) is None
        assert is_open("10.0.0.9", "https://hooks.example.com/inbox/a", policy)
        assert not is_open("169.254.169.254", "https://hooks.example.com/inbox/a", policy)
        with pytest.raises(AddressRefused):
            vet_name("hooks.example.com.", parse("https://other.example.com/", policy), policy)

    def test_an_own_address_that_is_listed_is_open(self):
        policy = Policy.from_values(
            allow_http=False, allow_targets=["127.0.0.1:5000"], base_url="http://127.0.0.1:5000"
        )

        assert refusal("http://127.0.0.1:5000/elsewhere", policy) is None
