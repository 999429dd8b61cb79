"""What comes in: JSON bodies, read strictly and bounded in size, and the query. Shapes only; the rules live below."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NoReturn

import marshmallow as ma
from flask import Request
from webargs.flaskparser import FlaskParser
from werkzeug.exceptions import RequestEntityTooLarge

from webapp.api import strict_json
from webapp.api.errors import FieldError, Malformed, TooLarge, WrongFields, WrongMediaType

MAX_BODY_BYTES = 64 * 1024
JSON = "application/json"
REFUSED: dict[str, str | None] = {"json": ma.RAISE, "query": ma.RAISE}


class Parser(FlaskParser):
    """Reads what a schema asks for, or says what is wrong with it."""

    DEFAULT_UNKNOWN_BY_LOCATION = REFUSED

    def load_json(self, req: Request, schema: ma.Schema) -> Any:
        """The body. Raises WrongMediaType, TooLarge or Malformed. A schema may say that no body is as good as {}."""
        if getattr(schema, "may_be_left_out", False) and _has_no_body(req):
            return {}
        if req.mimetype != JSON or req.headers.get("Content-Encoding", "identity") != "identity":
            raise WrongMediaType(
                "Send the body as JSON in UTF-8, not compressed, with `Content-Type: application/json`."
            )
        try:
            return strict_json.loads(_body(req))
        except strict_json.NotStrict as error:
            raise Malformed(str(error)) from None

    def handle_error(
        self,
        error: ma.ValidationError,
        req: Request,
        schema: ma.Schema,
        *,
        error_status_code: int | None,
        error_headers: Mapping[str, str] | None,
    ) -> NoReturn:
        """Raises WrongFields with the path of each."""
        messages = next(iter(error.messages_dict.values()))
        raise WrongFields(list(_flattened(messages)))


def _has_no_body(req: Request) -> bool:
    return not req.content_length and "Transfer-Encoding" not in req.headers


def _body(req: Request) -> bytes:
    """The whole body. A stream without a length is read one byte further: Werkzeug cuts it at the limit in silence."""
    most, size = req.max_content_length or MAX_BODY_BYTES, req.content_length
    req.max_content_length = most if size is not None else most + 1
    try:
        body = req.get_data(cache=True)
    except RequestEntityTooLarge:
        raise _too_large(most, size) from None
    if len(body) > most:
        raise _too_large(most, size)
    if size is not None and len(body) < size:
        raise Malformed(f"The body ended after {len(body):,} of {size:,} bytes. Nothing was saved.")
    return body


def _too_large(most: int, size: int | None) -> TooLarge:
    sent = "" if size is None else f" This one has {size:,}."
    return TooLarge(f"The body may have {most:,} bytes ({most // 1024} KiB) at most.{sent} Nothing was saved.")


def _flattened(messages: Any, path: tuple[str, ...] = ()) -> Iterator[FieldError]:
    """Marshmallow's tree of messages as one error for each field."""
    if isinstance(messages, Mapping):
        for name, below in messages.items():
            yield from _flattened(below, path if name == "_schema" else (*path, str(name)))
    else:
        yield FieldError(".".join(path), " ".join(str(message) for message in messages))
