"""Where a request may go. Pure rules, no input or output.

In reading order: `refusals` (why not), `ranges` (the table of addresses), `targets` (the grammar of URLs), `policies`
(what the operator opened). `parse` judges the text of a URL, `vet_name` a name, `vet` one resolved address.
"""

from webapp.delivery.addresses.policies import Policy
from webapp.delivery.addresses.ranges import Address, is_disguised, is_loopback, is_opened_by, is_private, is_public
from webapp.delivery.addresses.refusals import SENTENCES, AddressRefused, PolicyError, Refusal
from webapp.delivery.addresses.targets import Target, literal, split, split_authority

__all__ = [
    "SENTENCES",
    "Address",
    "AddressRefused",
    "Policy",
    "PolicyError",
    "Refusal",
    "Target",
    "literal",
    "parse",
    "split_authority",
    "vet",
    "vet_name",
]

FIRST_FREE_PORT = 1_024
# Ports that browsers block: the list of the Fetch standard, from 1024 up.
BROWSER_PORTS = frozenset([1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6679, 6697, 10080])
CHAT_PORTS = frozenset(range(6665, 6670))  # a part of the same list
SERVICE_PORTS = frozenset([2375, 2376, 3306, 5432, 6379, 9200, 11211, 27017])  # remote controls and databases
CLOSED_PORTS = BROWSER_PORTS | CHAT_PORTS | SERVICE_PORTS

CLOSED_NAMES = frozenset(["localhost.localdomain"])
CLOSED_ZONES = (
    *("localhost", "local", "internal", "home.arpa", "in-addr.arpa", "ip6.arpa", "onion"),
    *("svc", "cluster.local", "host.docker.internal"),
)


def parse(url: str, policy: Policy) -> Target:
    """The target that a URL names; raises AddressRefused when the text, the name, the port or a literal is refused."""
    target = split(url)
    if policy.is_inbox(target) or policy.lists(target):
        return target
    is_plain = not target.is_encrypted and not policy.allow_http
    if not is_plain and not _is_open_port(target.port, policy):
        raise AddressRefused(Refusal.CLOSED_PORT)
    vet_name(target.host, target, policy)
    if address := target.address:
        vet(address, target, policy)
    if is_plain:  # told last: https:// would not help to reach a closed address
        raise AddressRefused(Refusal.NOT_ENCRYPTED)
    return target


def vet_name(name: str, target: Target, policy: Policy) -> None:
    """Judge the target's own name or a canonical one that it leads to; raises AddressRefused."""
    if policy.is_inbox(target) or policy.lists(target):
        return
    name = name.lower().removesuffix(".")
    if policy.own and name == policy.own.host:
        raise AddressRefused(Refusal.OWN_ADDRESS)
    if literal(name) is None and _is_closed_name(name):
        raise AddressRefused(Refusal.CLOSED_NAME)


def vet(address: Address, target: Target, policy: Policy) -> None:
    """Judge one address that the target's host is or resolves to; raises AddressRefused, the same for all."""
    if not _is_open(address, target, policy):
        raise AddressRefused(Refusal.CLOSED_ADDRESS)


def _is_open(address: Address, target: Target, policy: Policy) -> bool:
    if is_disguised(address):
        return False
    if is_public(address):
        return True
    if policy.is_inbox(target) and (is_loopback(address) or is_private(address)):
        return True
    if policy.lists(target) and _is_opened_by_entry(address, target):
        return True
    return any(is_opened_by(network, address) for network in policy.allow_cidrs)


def _is_opened_by_entry(address: Address, target: Target) -> bool:
    """A listed address opens itself, a listed name the private addresses it leads to, `localhost` loopback."""
    if literal := target.address:
        return literal == address
    return is_private(address) or (target.host == "localhost" and is_loopback(address))


def _is_open_port(port: int, policy: Policy) -> bool:
    return port == 443 or (port == 80 and policy.allow_http) or (port >= FIRST_FREE_PORT and port not in CLOSED_PORTS)


def _is_closed_name(name: str) -> bool:
    if "." not in name or name in CLOSED_NAMES:
        return True
    return any(name == zone or name.endswith(f".{zone}") for zone in CLOSED_ZONES)
