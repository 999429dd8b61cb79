"""Secrets that were planted, and where they were found again, however they are written."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from urllib.parse import quote, quote_plus

SHORTEST = 10  # characters of what is looked for


class Planted:
    """Secrets by what they are. `new` makes one, `add` takes one that the installation made."""

    def __init__(self) -> None:
        self.secrets: dict[str, str] = {}

    def new(self, what: str, before: str = "") -> str:
        """A secret that nothing else in the world looks like."""
        return self.add(what, before + base64.b64encode(secrets.token_bytes(27)).decode())

    def add(self, what: str, secret: str) -> str:
        """Keep it; the same words twice are numbered."""
        assert len(secret) >= SHORTEST
        number = sum(name.split(" #")[0] == what for name in self.secrets)
        self.secrets[f"{what} #{number + 1}" if number else what] = secret
        return secret

    def found_in(self, text: bytes | str, *, but: Iterable[str] = ()) -> list[str]:
        """What is in there, in any writing; `but` are beginnings of what may be."""
        data = text.encode() if isinstance(text, str) else text
        return [
            what
            for what, secret in self.secrets.items()
            if not what.startswith(tuple(but)) and any(writing in data for writing in _all(secret))
        ]

    def found_in_files(self, folder: Path, *, but: Iterable[str] = ()) -> dict[str, list[str]]:
        """The same for all files below a folder."""
        files = (path for path in sorted(folder.rglob("*")) if path.is_file())
        return {path.name: found for path in files if (found := self.found_in(path.read_bytes(), but=but))}


@cache
def _all(secret: str) -> tuple[bytes, ...]:
    return tuple(writings(secret))


def writings(secret: str) -> Iterator[bytes]:
    """A secret as it is, in hexadecimal, in base64 at each of the three places, and encoded for URLs."""
    raw = secret.encode()
    yield raw
    yield raw.hex().encode()
    yield raw.hex().upper().encode()
    for shift in range(3):
        encoded = base64.b64encode(b"x" * shift + raw)[4 if shift else 0 : -4]
        yield encoded
        yield encoded.replace(b"+", b"-").replace(b"/", b"_")
    yield quote(secret, safe="").encode()
    yield quote_plus(secret).encode()
    bare = secret.removeprefix("whsec_").removeprefix("pat_").rstrip("=")
    yield bare.encode()
    yield bare[len(bare) // 2 :].encode()  # also one that was cut
