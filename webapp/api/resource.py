"""A resource of the API: a blueprint whose calls all need a token, answer problems as documents and are documented."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

import marshmallow as ma
from flask import request
from flask_smorest import Blueprint

from webapp.api import authentication, errors
from webapp.api.parsing import MAX_BODY_BYTES, Parser
from webapp.request_extensions import csrf

PREFIX = "/api/v1"

View = TypeVar("View", bound=Callable[..., Any])


class Resource(Blueprint):  # type: ignore[misc]
    """`Resource("webhooks", "…")` has the calls below /api/v1/webhooks and its own chapter in the OpenAPI document."""

    ARGUMENTS_PARSER = Parser()

    def __init__(self, noun: str, description: str) -> None:
        super().__init__(f"api_{noun}", __name__, url_prefix=PREFIX, description=description)
        self.noun = noun
        csrf.exempt(self)
        errors.init_blueprint(self)
        self.before_request(authentication.forget_the_session)
        self.before_request(authentication.require_token)
        self.before_request(authentication.refuse_odd_ids)

    def call(self, method: str, rule: str, operation: str, **documentation: Any) -> Callable[[View], View]:
        """The view answers this method at this path below /api/v1; `operation` is the call's name for generators."""
        route = self.route(rule, methods=[method], tags=[self.noun])
        describe = self.doc(operationId=operation, **documentation)

        def decorate(view: View) -> View:
            return cast(View, route(describe(view)))

        return decorate

    def takes(
        self, schema: type[ma.Schema], *, most_bytes: int = MAX_BODY_BYTES, **documentation: Any
    ) -> Callable[[View], View]:
        """The view's next argument is the JSON body, of at most so many bytes, as the schema loads it."""
        parse = self.arguments(schema(), location="json", **documentation)  # made once, not for each call

        def decorate(view: View) -> View:
            parsed = parse(view)

            @wraps(parsed)
            def bounded(*args: Any, **kwargs: Any) -> Any:
                request.max_content_length = most_bytes
                return parsed(*args, **kwargs)

            return cast(View, bounded)

        return decorate

    def asks(self, schema: type[ma.Schema]) -> Callable[[View], View]:
        """The view's next argument is the query, as the schema loads it."""
        return cast(Callable[[View], View], self.arguments(schema, location="query"))

    def gives(
        self, status: int, schema: type[ma.Schema] | dict[str, Any] | None = None, **documentation: Any
    ) -> Callable[[View], View]:
        """The view's value is answered with this status, as the schema dumps it. A dict only describes a Response."""
        return cast(Callable[[View], View], self.response(status, schema, **documentation))
