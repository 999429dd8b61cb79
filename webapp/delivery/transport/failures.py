"""What can go wrong on the way, as one error word and one sentence for people."""

import ssl

from webapp.models.delivery import ErrorWord

CONNECT_REFUSED = "The receiver refused the connection, or there is no way to it."
CONNECT_TIMEOUT = "The receiver did not accept a connection in time."
PEER_DIFFERS = "The connection ended at another address than the one that was checked."
TIMED_OUT = "The receiver did not answer in time."
LOST = "The receiver closed the connection before its answer was complete."
NOT_HTTP = "The answer is not HTTP/1.1."
TWO_LENGTHS = "The answer names two different lengths."
HEAD_TOO_LARGE = "The head of the answer is larger than 64 KiB or has more than 100 lines."
TOO_MANY_INTERIM = "The receiver sent more than 8 interim answers."
PROXY_UNREACHABLE = "The outgoing proxy cannot be reached."
PROXY_REFUSED = "The outgoing proxy refused to connect."

TLS_FAILED = "The encrypted connection could not be set up."
TLS_STALLED = "The encrypted connection was not set up in time."
TLS_NOT_SPOKEN = "The receiver does not speak TLS on this port."
TLS_TOO_OLD = "The receiver offers no TLS 1.2 or newer."
CERTIFICATE_EXPIRED = "The certificate has expired."
CERTIFICATE_NOT_YET_VALID = "The certificate is not valid yet."
CERTIFICATE_SELF_SIGNED = "The certificate is self-signed."
CERTIFICATE_UNKNOWN = "The certificate comes from an unknown authority, or the chain is incomplete."
CERTIFICATE_NAME = "The certificate belongs to another name."
CERTIFICATE_INVALID = "The certificate is not valid."

# The numbers are X509_V_ERR_* of OpenSSL.
_CERTIFICATE_SENTENCES = {
    9: CERTIFICATE_NOT_YET_VALID,
    10: CERTIFICATE_EXPIRED,
    18: CERTIFICATE_SELF_SIGNED,
    19: CERTIFICATE_UNKNOWN,
    20: CERTIFICATE_UNKNOWN,
    21: CERTIFICATE_UNKNOWN,
    62: CERTIFICATE_NAME,
    64: CERTIFICATE_NAME,
}
_TLS_SENTENCES = {
    "WRONG_VERSION_NUMBER": TLS_NOT_SPOKEN,
    "HTTP_REQUEST": TLS_NOT_SPOKEN,
    "RECORD_LAYER_FAILURE": TLS_NOT_SPOKEN,
    "UNSUPPORTED_PROTOCOL": TLS_TOO_OLD,
    "TLSV1_ALERT_PROTOCOL_VERSION": TLS_TOO_OLD,
}


class TransportFailure(Exception):
    """The exchange ended without a usable answer: `word` for the log, `sentence` for people."""

    def __init__(self, word: ErrorWord, sentence: str) -> None:
        super().__init__(sentence)
        self.word = word
        self.sentence = sentence


def tls_failure(error: Exception) -> TransportFailure:
    """The failure of a handshake in words."""
    if isinstance(error, TimeoutError):
        return TransportFailure(ErrorWord.TLS_ERROR, TLS_STALLED)
    if isinstance(error, ssl.SSLCertVerificationError):
        sentence = _CERTIFICATE_SENTENCES.get(error.verify_code, CERTIFICATE_INVALID)
        return TransportFailure(ErrorWord.TLS_ERROR, sentence)
    reason = getattr(error, "reason", None) or ""
    return TransportFailure(ErrorWord.TLS_ERROR, _TLS_SENTENCES.get(reason, TLS_FAILED))
