"""The table of addresses that stay closed, and what an operator can open of it.

The table is our own: the library's idea of "private" changes between its versions and calls several carriers of
private addresses public.
"""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


def _networks(*texts: str) -> tuple[Network, ...]:
    return tuple(ip_network(text) for text in texts)


# Source of both tables: the special-purpose registries of IANA (IPv4, IPv6), and 168.63.129.16 of Azure.
CLOSED_IPV4 = _networks(
    *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "168.63.129.16/32", "169.254.0.0/16"),
    *("172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15"),
    *("198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
)
OPEN_IPV6 = _networks("2000::/3")
CLOSED_INSIDE_IPV6 = _networks("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")

LOOPBACK = _networks("127.0.0.0/8", "::1/128")
LINK_LOCAL = _networks("169.254.0.0/16", "fe80::/10")
PRIVATE = _networks("10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")
# Cloud machines hand out their keys here: Amazon, Google, Azure, Oracle, Alibaba, Tencent.
METADATA = _networks(
    *("169.254.169.254/32", "169.254.170.2/32", "169.254.170.23/32", "169.254.0.23/32", "168.63.129.16/32"),
    *("192.0.0.192/32", "100.100.100.200/32", "fd00:ec2::254/128", "fd00:ec2::23/128", "fd20:ce::254/128"),
)
# "This host", multicast, broadcast.
NEVER_BY_RANGE = _networks("0.0.0.0/8", "224.0.0.0/4", "255.255.255.255/32", "::/128", "ff00::/8")
# Mapped, compatible, translated, ISATAP, NAT64, Teredo, 6to4: an IPv4 address in disguise. Nothing opens these.
CARRIERS = _networks("::/8", "2001::/32", "2002::/16")


def is_public(address: Address) -> bool:
    """Whether the address is open to everyone, by the table."""
    if isinstance(address, IPv4Address):
        return not _is_in(address, CLOSED_IPV4)
    return _is_in(address, OPEN_IPV6) and not _is_in(address, CLOSED_INSIDE_IPV6)


def is_disguised(address: Address) -> bool:
    """Whether it carries an IPv4 address or a zone, so that nothing may open it."""
    if isinstance(address, IPv4Address):
        return False
    return address.scope_id is not None or (_is_in(address, CARRIERS) and not _is_in(address, LOOPBACK))


def is_loopback(address: Address) -> bool:
    """Whether it is this very machine."""
    return _is_in(address, LOOPBACK)


def is_private(address: Address) -> bool:
    """Whether it belongs to a local network and hands out no keys of cloud machines."""
    return _is_in(address, PRIVATE) and not _is_in(address, METADATA)


def is_opened_by(network: Network, address: Address) -> bool:
    """Whether an opened range opens this address; loopback and link-local open only to a range that lies in them."""
    if address not in network or _is_in(address, METADATA + NEVER_BY_RANGE):
        return False
    return all(_lies_in(network, zone) for zone in LOOPBACK + LINK_LOCAL if address in zone)


def _is_in(address: Address, networks: Iterable[Network]) -> bool:
    return any(address in network for network in networks)


def _lies_in(inner: Network, outer: Network) -> bool:
    if isinstance(inner, IPv4Network):
        return isinstance(outer, IPv4Network) and inner.subnet_of(outer)
    return isinstance(outer, IPv6Network) and inner.subnet_of(outer)
