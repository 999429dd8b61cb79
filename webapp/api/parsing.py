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
        """The body. Raises WrongMediaType, TooLarge or Malformed."""
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


def _body(req: Request) -> bytes:
    try:
        return req.get_data(cache=True)
    except RequestEntityTooLarge:
        most, size = req.max_content_length or 0, req.content_length
        sent = f" This one has {size:,}." if size else ""
        raise TooLarge(
            f"The body may have {most:,} bytes ({most // 1024} KiB) at most.{sent} Nothing was saved."
        ) from None


def _flattened(messages: Any, path: tuple[str, ...] = ()) -> Iterator[FieldError]:
    """Marshmallow's tree of messages as one error for each field."""
    if isinstance(messages, Mapping):
        for name, below in messages.items():
            yield from _flattened(below, path if name == "_schema" else (*path, str(name)))
    else:
        yield FieldError(".".join(path), " ".join(str(message) for message in messages))
