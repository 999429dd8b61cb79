"""Why an address is refused, in words that say how to mend it."""

from enum import StrEnum


class Refusal(StrEnum):
    """Why an address is refused. Each member has one sentence, so that all refusals of a kind read alike."""

    CHARACTERS = "characters"
    FORM = "form"
    TOO_LONG = "too_long"
    SCHEME = "scheme"
    CREDENTIALS = "credentials"
    FRAGMENT = "fragment"
    HOST = "host"
    PORT = "port"
    NOT_ENCRYPTED = "not_encrypted"
    CLOSED_PORT = "closed_port"
    CLOSED_NAME = "closed_name"
    OWN_ADDRESS = "own_address"
    CLOSED_ADDRESS = "closed_address"
    TOO_MANY_ADDRESSES = "too_many_addresses"

    @property
    def sentence(self) -> str:
        """What is wrong and how to mend it, in plain English."""
        return SENTENCES[self]

    @property
    def is_about_text(self) -> bool:
        """Whether the text is no usable URL, whatever the rules allow."""
        return self in _ABOUT_TEXT


SENTENCES = {
    Refusal.CHARACTERS: "The URL contains a blank, a backslash or a hidden character. Write a blank as %20.",
    Refusal.FORM: "This is not a complete URL. Write it like https://example.com/path.",
    Refusal.TOO_LONG: "The URL is longer than 2,048 characters. Use a shorter one.",
    Refusal.SCHEME: "The URL must begin with https://.",
    Refusal.CREDENTIALS: "The URL contains a user name or an @ before the host. Remove it and use a header instead.",
    Refusal.FRAGMENT: "The URL contains a #. Remove it and what follows: that part is never sent.",
    Refusal.HOST: "The host is not a valid name or address. Write a name like example.com, or an address like 8.8.8.8.",
    Refusal.PORT: "The port must be a number from 1 to 65535, without leading zeros.",
    Refusal.NOT_ENCRYPTED: "The URL is not encrypted. Use https:// instead of http://.",
    Refusal.CLOSED_PORT: "This port is not open to webhooks. Use 443, or one from 1024 up that no other service uses.",
    Refusal.CLOSED_NAME: "This name belongs to a local network. Use a public name, or ask the operator to open it.",
    Refusal.OWN_ADDRESS: "This is the address of this installation. Only its inboxes can receive webhooks.",
    Refusal.CLOSED_ADDRESS: "This is a private or reserved address. Use a public one, or ask the operator to open it.",
    Refusal.TOO_MANY_ADDRESSES: "This name has more than 32 addresses. Use a name with fewer.",
}
_ABOUT_TEXT = frozenset(list(Refusal)[: list(Refusal).index(Refusal.NOT_ENCRYPTED)])


class AddressRefused(Exception):
    """The rules refuse this address; `reason` says which, the text how to mend it. Never a ValueError: see rule (h)."""

    def __init__(self, reason: Refusal) -> None:
        super().__init__(reason.sentence)
        self.reason = reason


class PolicyError(ValueError):
    """A setting of the operator opens too much or cannot be read; the text says which value and why."""
