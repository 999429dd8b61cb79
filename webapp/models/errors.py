"""What a person or a program did wrong, as named errors. Each edge (pages, REST, commands) answers in its own way."""

from __future__ import annotations


class RequestError(Exception):
    """Something that the caller can mend. Its sentence says what and how."""

    def __init__(self, sentence: str = "", **values: object) -> None:
        super().__init__(sentence % values if values else sentence)
        self.template = sentence
        self.values = values

    @property
    def sentence(self) -> str:
        """The sentence in English; `template` and `values` are for its translation."""
        return str(self)


class Invalid(RequestError):
    """A value breaks a rule. `fields` maps each wrong field (snake_case) to its error."""

    def __init__(self, field: str, sentence: str, **values: object) -> None:
        super().__init__(sentence, **values)
        self.field = field
        self.fields: dict[str, RequestError] = {field: self}

    @classmethod
    def many(cls, errors: list[Invalid]) -> Invalid:
        """One error that carries several fields, the first one leading."""
        first = errors[0]
        joined = cls(first.field, first.template, **first.values)
        for error in errors:
            for field, single in error.fields.items():
                joined.fields.setdefault(field, single)
        return joined


class NotFound(RequestError):
    """No such thing, or none that the caller may see: the two are told apart to nobody."""


class Forbidden(RequestError):
    """The caller may see it but lacks the role; the sentence names the role that is needed."""


class Conflict(RequestError):
    """It cannot be done in the state that things are in."""


class TooMany(RequestError):
    """Too often. `retry_after_s` says when to come back; the sentence may name it as `%(seconds)s`."""

    def __init__(self, sentence: str, *, retry_after_s: int, **values: object) -> None:
        super().__init__(sentence, seconds=retry_after_s, **values)
        self.retry_after_s = retry_after_s
