"""Proof of where a body comes from. Pure.

In reading order: `keys` (what a secret may be, and the keys in it), `headers` (what a request carries), `checking`
(what a receiver does with that; `received` and `steps` are its parts). The two schemes take different keys from one
secret: `X-Signature` its text, `webhook-signature` the bytes behind ``whsec_`` (reference: reliability.md, section 8).
"""

from webapp.delivery.signing.checking import TOLERANCE_S, Check, Line, Verdict, check
from webapp.delivery.signing.headers import headers, signature, standard_signature
from webapp.delivery.signing.keys import Keys, SecretError, check_secret, generate_secret
from webapp.delivery.signing.steps import Step

__all__ = [
    "TOLERANCE_S",
    "Check",
    "Keys",
    "Line",
    "SecretError",
    "Step",
    "Verdict",
    "check",
    "check_secret",
    "generate_secret",
    "headers",
    "signature",
    "standard_signature",
]
