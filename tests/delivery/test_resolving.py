"""Names to addresses: real DNS packets from a server that lies, a hosts file, and the limits."""

import time
from ipaddress import ip_address

import pytest

from tests.dns_server import DnsServer
from webapp.delivery.resolving import ResolveError, Resolver
from webapp.models.delivery import ErrorWord

NAME = "hook.example.com"


@pytest.fixture
def dns():
    with DnsServer() as server:
        yield server


@pytest.fixture
def hosts(tmp_path):
    path = tmp_path / "hosts"
    path.write_text("")
    return path


@pytest.fixture
def resolver(dns, hosts):
    return Resolver([dns.address], hosts)


def resolve(resolver, name=NAME, within=3.0):
    return resolver.resolve(name, time.monotonic() + within)


def failure(resolver, name=NAME, within=3.0):
    with pytest.raises(ResolveError) as caught:
        resolve(resolver, name, within)
    assert caught.value.sentence.endswith(".")
    return caught.value.word


def test_both_families_are_asked_for_once_and_by_the_absolute_name(dns, resolver):
    dns.says(NAME, "AAAA", ["2606:4700::1"])
    dns.says(NAME, "A", ["93.184.216.34", "93.184.216.35"])

    resolution = resolve(resolver)

    assert {str(address) for address in resolution.addresses} == {"93.184.216.34", "93.184.216.35", "2606:4700::1"}
    assert resolution.addresses[0].version == 4
    assert set(resolution.canonical_names) == {NAME}
    assert dns.queries == [(NAME, "A", "udp"), (NAME, "AAAA", "udp")]


def test_every_attempt_asks_anew(dns, resolver):
    dns.says(NAME, "A", ["93.184.216.34"], ["127.0.0.1"])

    assert [str(resolve(resolver).addresses[0]) for _ in range(2)] == ["93.184.216.34", "127.0.0.1"]


def test_no_search_domain_is_tried(dns, resolver):
    """D227"""
    dns.says("example.corp.local", "A", ["10.0.0.1"])

    assert failure(resolver, "example") is ErrorWord.DNS_NOT_FOUND
    assert {name for name, _, _ in dns.queries} == {"example"}


def test_an_alias_leads_to_its_canonical_name(dns, resolver):
    dns.leads(NAME, "Target.example.net")
    dns.says("Target.example.net", "A", ["93.184.216.34"])

    assert "target.example.net" in {name.lower() for name in resolve(resolver).canonical_names}


def test_eight_aliases_are_followed(dns, resolver):
    dns.leads_on(NAME, 8, "end.example.com")
    dns.says("end.example.com", "A", ["93.184.216.34"])

    assert str(resolve(resolver).addresses[0]) == "93.184.216.34"


@pytest.mark.parametrize("length", [9, 16, 20])
def test_longer_chains_of_aliases_end_as_not_found(dns, resolver, length):
    """D217"""
    dns.leads_on(NAME, length, "end.example.com")
    dns.says("end.example.com", "A", ["93.184.216.34"])

    assert failure(resolver) is ErrorWord.DNS_NOT_FOUND


def test_a_loop_of_aliases_ends_as_not_found(dns, resolver):
    """D218"""
    dns.leads(NAME, "b.example.com")
    dns.leads("b.example.com", NAME)

    assert failure(resolver) is ErrorWord.DNS_NOT_FOUND


def test_an_alias_that_leads_nowhere_is_not_found(dns, resolver):
    dns.leads(NAME, "nowhere.example.com")

    assert failure(resolver) is ErrorWord.DNS_NOT_FOUND


@pytest.mark.parametrize(("count", "word"), [(32, None), (33, "address_refused"), (500, "address_refused")])
def test_a_name_may_have_32_addresses(dns, resolver, count, word):
    """D222"""
    dns.says(NAME, "A", [f"93.184.{number // 250}.{number % 250 + 1}" for number in range(count)])

    if word is None:
        assert len(resolve(resolver).addresses) == count
    else:
        assert failure(resolver) == word
        assert (NAME, "A", "tcp") in dns.queries


def test_an_unknown_name_is_not_found(dns, resolver):
    """D223"""
    assert failure(resolver) is ErrorWord.DNS_NOT_FOUND
    assert dns.asked(NAME) == ["A"]


def test_a_name_without_addresses_is_not_found(dns, resolver):
    dns.says(NAME, "A", [])

    assert failure(resolver) is ErrorWord.DNS_NOT_FOUND
    assert dns.asked(NAME) == ["A", "AAAA"]


def test_a_server_that_fails_is_a_timeout(dns, resolver):
    """D224"""
    dns.fails(NAME)

    assert failure(resolver) is ErrorWord.DNS_TIMEOUT


def test_silence_ends_at_the_deadline(dns, resolver):
    """D224"""
    dns.ignores(NAME)
    began = time.monotonic()

    assert failure(resolver, within=0.4) is ErrorWord.DNS_TIMEOUT
    assert 0.3 < time.monotonic() - began < 0.9


def test_nobody_at_the_server_address_is_a_timeout(dns, hosts):
    with DnsServer() as gone:
        address = gone.address

    assert failure(Resolver([address], hosts), within=0.4) is ErrorWord.DNS_TIMEOUT


def test_one_family_is_enough_when_the_other_fails(dns, resolver):
    dns.says(NAME, "A", ["93.184.216.34"])
    dns.fails(NAME, "AAAA")

    assert [str(address) for address in resolve(resolver).addresses] == ["93.184.216.34"]


def test_the_second_server_is_asked_when_the_first_fails(dns, hosts):
    dns.says(NAME, "A", ["93.184.216.34"])
    with DnsServer() as broken:
        broken.fails(NAME)
        resolver = Resolver([broken.address, dns.address], hosts)

        assert str(resolve(resolver).addresses[0]) == "93.184.216.34"


def test_the_hosts_file_comes_first_and_is_read_again_when_it_changes(dns, hosts, resolver):
    hosts.write_text("# nothing\n10.1.1.1 other hook.example.com # mine\n::1 Hook.Example.com\nnonsense here\n")
    assert [str(address) for address in resolve(resolver).addresses] == ["10.1.1.1", "::1"]
    assert dns.queries == []

    hosts.unlink()
    dns.says(NAME, "A", ["93.184.216.34"])
    assert str(resolve(resolver).addresses[0]) == "93.184.216.34"


def test_localhost_is_never_asked_for_outside(dns, resolver):
    assert resolve(resolver, "localhost").addresses == (ip_address("127.0.0.1"), ip_address("::1"))
    assert resolve(resolver, "app.localhost").addresses[0].is_loopback
    assert dns.queries == []


def test_name_servers_are_given_as_addresses_with_or_without_port():
    Resolver(["1.1.1.1", "1.1.1.1:5353", "::1", "[::1]", "[::1]:5353"])


@pytest.mark.parametrize("text", ["dns.example.com", "1.1.1.1:x", "[::1", "", "1.1.1"])
def test_a_wrong_name_server_is_named(text):
    with pytest.raises(ValueError, match="DNS_SERVERS"):
        Resolver([text])
