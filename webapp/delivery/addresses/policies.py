"""What the operator opened beyond the rules. The rules themselves cannot be switched off."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, collapse_addresses, ip_network

from webapp.delivery.addresses.ranges import Network
from webapp.delivery.addresses.refusals import AddressRefused, PolicyError
from webapp.delivery.addresses.targets import Target, split, split_authority

WIDEST_OPEN_PREFIX = {4: 8, 6: 7}  # bits: 10.0.0.0/8 and fc00::/7 are the widest private ranges there are

# Only plain segments: a dot or an escape could climb out of the inbox again.
_INBOX = re.compile(r"/inbox(?:/[A-Za-z0-9_~-]+)+(?:\?.*)?")


@dataclass(frozen=True, slots=True)
class Policy:
    """What the operator opened beyond the rules. The rules themselves cannot be switched off."""

    allow_http: bool = False
    allow_targets: frozenset[tuple[str, int]] = frozenset()
    allow_cidrs: tuple[Network, ...] = ()
    own: Target | None = None

    @classmethod
    def from_values(
        cls,
        allow_http: bool,
        allow_targets: Sequence[str] = (),
        allow_cidrs: Sequence[str] = (),
        base_url: str | None = None,
    ) -> "Policy":
        """Read the settings; raises PolicyError that names the wrong value."""
        return cls(
            allow_http=allow_http,
            allow_targets=frozenset(_allowed_target(text) for text in allow_targets),
            allow_cidrs=_allowed_ranges(allow_cidrs),
            own=_own(base_url) if base_url else None,
        )

    def lists(self, target: Target) -> bool:
        """Whether the operator opened exactly this host and port."""
        return (target.host, target.port) in self.allow_targets

    def is_inbox(self, target: Target) -> bool:
        """Whether it is an address of the built-in inbox, the one own address that is always open."""
        own = self.own
        if own is None or (target.scheme, target.host, target.port) != (own.scheme, own.host, own.port):
            return False
        prefix = own.path.rstrip("/")
        return target.path.startswith(prefix) and _INBOX.fullmatch(target.path.removeprefix(prefix)) is not None


def _allowed_target(text: str) -> tuple[str, int]:
    try:
        host, port = split_authority(text.strip(" "))
    except AddressRefused as refused:
        raise PolicyError(f"ALLOW_TARGETS: {text!r} is not host:port. {refused}") from None
    if port is None:
        raise PolicyError(f"ALLOW_TARGETS: {text!r} has no port. Write it like {host}:443.")
    return host, port


def _allowed_ranges(texts: Sequence[str]) -> tuple[Network, ...]:
    networks = [_allowed_range(text) for text in texts]
    _refuse_whole_family(networks)
    return tuple(networks)


def _allowed_range(text: str) -> Network:
    try:
        network = ip_network(text.strip(" "))
    except ValueError as error:
        raise PolicyError(f"ALLOW_CIDRS: {text!r} is not a range like 10.20.0.0/16 ({error}).") from None
    if "%" in text:
        raise PolicyError(f"ALLOW_CIDRS: {text!r} names a zone. Leave the zone out.")
    widest = WIDEST_OPEN_PREFIX[network.version]
    if network.prefixlen < widest:
        raise PolicyError(f"ALLOW_CIDRS: {text!r} opens too much; /{widest} is the widest. There is no off switch.")
    return network


def _refuse_whole_family(networks: Sequence[Network]) -> None:
    """Many narrow ranges that make up a whole family are an off switch as well."""
    ipv4 = [network for network in networks if isinstance(network, IPv4Network)]
    ipv6 = [network for network in networks if isinstance(network, IPv6Network)]
    merged: list[Network] = [*collapse_addresses(ipv4), *collapse_addresses(ipv6)]
    if any(network.prefixlen == 0 for network in merged):
        raise PolicyError("ALLOW_CIDRS: together these open a whole address family. There is no off switch.")


def _own(base_url: str) -> Target:
    try:
        return split(base_url)
    except AddressRefused as refused:
        raise PolicyError(f"BASE_URL: {base_url!r} cannot be used. {refused}") from None
