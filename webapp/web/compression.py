"""Pages travel compressed, with gzip. What could make that dangerous, and what is done about it:

A compressed answer is shorter when text that a stranger chose equals a secret in it (BREACH: Gluck, Harris and Prado,
2013). To use that, a page of another site sends a person's browser here again and again, has its guesses shown in the
answers, and sees how long they are. Each of these is made hard:

- The secret that every page holds, the CSRF token, is masked anew in each answer (`webapp/csrf.py`).
- Answers that show another secret are not compressed: whoever renders one calls `forbid()`. In case that was forgotten,
  what was made just now (201) and what the API says to a change are not compressed either: new secrets stand there.
- What a browser asks for on behalf of another site (`Sec-Fetch-Site`) is not compressed, the session's cookie is not
  sent with what other sites embed (`SameSite=Lax`), and their forms are refused (`headers.py`).
- The gzip header of each answer holds a name of random length, so that lengths must be measured many times over ("Heal
  the BREACH", IEEE Access 2022, document 9754554; Django's middleware does the same since 4.2).

Static files are compressed once, at start (`static_files.py`); files to download are sent as they are.
"""

from __future__ import annotations

import secrets
import zlib
from http import HTTPStatus

from flask import Flask, Response, g, request

LEVEL = 4
LEAST_BYTES = 1024  # below that nothing is gained
MOST_RANDOM_BYTES = 100
WITH_GZIP_HEADER = 31  # what zlib calls it
GZIP_HEADER_BYTES = 10
HAS_NAME = b"\x08"
KINDS = frozenset({"text/html", "application/json", "application/problem+json"})
WITH_A_FORM_OF_THEIR_OWN = ("Content-Encoding", "Content-Disposition", "ETag")
BY_OTHER_SITES = frozenset({"cross-site", "same-site"})


def init_app(app: Flask) -> None:
    """Compress what may be, after every request."""
    app.after_request(_compress)


def forbid() -> None:
    """This answer shows a secret: it is sent as it is."""
    g.is_never_compressed = True


def _compress(response: Response) -> Response:
    if response.mimetype not in KINDS or response.is_streamed or response.direct_passthrough:
        return response
    response.vary.add("Accept-Encoding")
    if _may_be_compressed(response):
        response.set_data(_gzip(response.get_data()))
        response.headers["Content-Encoding"] = "gzip"
    return response


def _may_be_compressed(response: Response) -> bool:
    return (
        (request.method in {"GET", "HEAD"} or response.mimetype == "text/html")
        and response.status_code != HTTPStatus.CREATED
        and request.accept_encodings.best_match(("gzip", "identity")) == "gzip"
        and request.headers.get("Sec-Fetch-Site") not in BY_OTHER_SITES
        and "is_never_compressed" not in g
        and "Range" not in request.headers
        # An entity tag names one sequence of bytes.
        and not any(name in response.headers for name in WITH_A_FORM_OF_THEIR_OWN)
        and (response.content_length or 0) >= LEAST_BYTES
    )


def _gzip(body: bytes) -> bytes:
    small = zlib.compress(body, LEVEL, WITH_GZIP_HEADER)
    name = b"a" * secrets.randbelow(MOST_RANDOM_BYTES + 1)
    head = small[:3] + HAS_NAME + small[4:GZIP_HEADER_BYTES]
    return head + name + b"\0" + small[GZIP_HEADER_BYTES:]
