"""Where a wrong signature fails, in words that say what to look at."""

from enum import StrEnum


class Step(StrEnum):
    """The first cause that explains a wrong signature. Each member has one sentence."""

    REPEATED = "repeated"
    PREFIXED = "prefixed"
    NOT_HEX = "not_hex"
    LENGTH = "length"
    UPPER_CASE = "upper_case"
    ID = "id"
    TIMESTAMP = "timestamp"
    VERSION = "version"
    BASE64 = "base64"
    NO_KEY = "no_key"
    OTHER_KEY = "other_key"
    NEWLINE = "newline"
    REFORMATTED = "reformatted"
    MISMATCH = "mismatch"
    TOO_OLD = "too_old"
    TOO_NEW = "too_new"

    @property
    def sentence(self) -> str:
        """What is wrong and what to look at, in plain English."""
        return SENTENCES[self]


SENTENCES = {
    Step.REPEATED: "A header stands there more than once. Each may stand there once.",
    Step.PREFIXED: "There is something like sha256= in front. The signature is the hex digits alone.",
    Step.NOT_HEX: "This is not hex. The signature is 64 of the digits 0-9 and a-f.",
    Step.LENGTH: "This has another length. An HMAC-SHA256 is 64 hex digits long.",
    Step.UPPER_CASE: "The hex digits are upper case. They are sent in lower case.",
    Step.ID: "The header webhook-id is missing or cannot be one.",
    Step.TIMESTAMP: "The header webhook-timestamp is missing or is not whole seconds since 1970.",
    Step.VERSION: "No signature begins with v1 and a comma.",
    Step.BASE64: "After v1 and the comma there must be the base64 of 32 bytes, with its padding.",
    Step.NO_KEY: "After whsec_ there is no base64, so the secret holds no key.",
    Step.OTHER_KEY: "The key was the other form of the secret: X-Signature takes its text as it is, "
    "webhook-signature what is decoded after whsec_.",
    Step.NEWLINE: "There is a line feed at the end of the body that was not signed.",
    Step.REFORMATTED: "The body was formatted anew: the signature is right for its compact form. Check the raw bytes.",
    Step.MISMATCH: "The body or the secret is another one.",
    Step.TOO_OLD: "The signature is right, but its timestamp is more than 5 minutes old.",
    Step.TOO_NEW: "The signature is right, but its timestamp is more than 5 minutes ahead.",
}
