"""What an attempt's outcome means and what to do: a sentence and a remedy for each error word and status code."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel.speaklater import LazyString

from webapp.models import ErrorWord


@dataclass(frozen=True)
class Explained:
    """An outcome in words. `remedy` is what the person can do, empty where nothing is to be done."""

    sentence: LazyString | str
    remedy: LazyString | str = ""


ERRORS = {
    ErrorWord.ADDRESS_REFUSED: Explained(
        _l("Nothing was sent: the address is private, local or reserved."),
        _l("Use a public address, or ask the operator to open exactly this target."),
    ),
    ErrorWord.DNS_NOT_FOUND: Explained(
        _l("The name does not exist."), _l("Check the URL for typing errors, and the DNS entry.")
    ),
    ErrorWord.DNS_TIMEOUT: Explained(
        _l("The name server did not answer."), _l("This usually passes. Check the domain's name servers.")
    ),
    ErrorWord.CONNECT_REFUSED: Explained(
        _l("Nobody listens at that port."), _l("Start the receiver, check the port and the firewall.")
    ),
    ErrorWord.CONNECT_TIMEOUT: Explained(
        _l("No connection within the limit."), _l("Check the firewall and the address.")
    ),
    ErrorWord.TLS_ERROR: Explained(
        _l("No secure connection could be made."), _l("Renew or complete the receiver's certificate chain.")
    ),
    ErrorWord.TIMED_OUT: Explained(
        _l("Connected, but no answer in time."), _l("Answer 2xx at once and do the work afterwards.")
    ),
    ErrorWord.CONNECTION_LOST: Explained(
        _l("The receiver closed the connection in the middle."),
        _l("Look into its log; check its proxy and its limit for bodies."),
    ),
    ErrorWord.INVALID_RESPONSE: Explained(
        _l("The answer is not valid HTTP."), _l("Is this an HTTP server? Is it https on an http port?")
    ),
    ErrorWord.REDIRECT_REFUSED: Explained(
        _l("The receiver answered with a redirect. Redirects are not followed."), _l("Enter the final URL.")
    ),
    ErrorWord.RESPONSE_TOO_LARGE: Explained(
        _l("The head of the answer was larger than allowed."), _l("Send fewer or shorter headers.")
    ),
    ErrorWord.PROXY_ERROR: Explained(
        _l("This installation's outgoing proxy could not be used."),
        _l("Nothing to do at the receiver. Tell the operator."),
    ),
    ErrorWord.CONFIG_ERROR: Explained(
        _l("This webhook cannot be sent as it is set up."), _l("Edit it and save it again.")
    ),
}
STATUSES = {
    400: Explained(_l("The receiver does not like the body."), _l("Look at its answer and at its log.")),
    401: Explained(_l("The receiver asks for access."), _l("Let it accept requests by their signature.")),
    403: Explained(_l("The receiver refuses access."), _l("Let it accept requests by their signature.")),
    404: Explained(_l("There is no such path at the receiver."), _l("Check the URL.")),
    405: Explained(_l("The receiver does not accept POST there."), _l("Check the URL and the receiver's route.")),
    410: Explained(_l("The receiver says that it is gone for good."), _l("Enter its new URL, or delete this webhook.")),
    413: Explained(_l("The body is too large for the receiver."), _l("Raise its limit, or choose the compact format.")),
    415: Explained(_l("The receiver does not accept JSON."), _l("Let it accept application/json.")),
    422: Explained(_l("The receiver does not like the body."), _l("Look at its answer and at its log.")),
    429: Explained(_l("Too many requests for the receiver."), _l("Its wish to wait (Retry-After) is respected.")),
}
UNKNOWN = Explained(
    _l("The worker stopped before the answer was saved. The receiver may have got this request."),
    _l("It does not count among the attempts."),
)
SUCCESS = Explained(_l("The receiver has accepted it."))


def explain(status: int | None, error: ErrorWord | None) -> Explained:
    """An outcome in words: by its error word, else by its status code, else unknown."""
    if error is not None:
        return ERRORS[error]
    if status is None:
        return UNKNOWN
    if status in STATUSES:
        return STATUSES[status]
    return SUCCESS if 200 <= status <= 299 else _by_class(status)


def phrase(status: int) -> str:
    """The usual words for a status code; empty for one that has none."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def _by_class(status: int) -> Explained:
    if status >= 500:
        return Explained(_("Error at the receiver."), _("Look into its log."))
    if status >= 400:
        return Explained(_("The receiver refuses it."), _("Look at its answer and at its log."))
    return Explained(_("The receiver answered with an unusual code."), _("Answer with a code from 200 to 299."))
