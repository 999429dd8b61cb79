"""Static files: served before Flask sees the request (no session, no cookie), cached for good when their address names
their content (`?v=<hash>`, or a vendored folder with a version in its name)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flask import Flask
from whitenoise import WhiteNoise

from webapp.web.headers import FILE_HEADERS

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

HASH_CHARACTERS = 12
FOREVER = "public, max-age=31536000, immutable"
ASK_FIRST = "no-cache"  # may be kept, but is asked for each time: 304 when it is the same


class StaticFiles:
    """A WSGI layer that answers for static files and passes everything else on."""

    def __init__(self, wsgi_app: WSGIApplication, folder: Path, prefix: str, *, is_fresh: bool) -> None:
        self.prefix = prefix
        self.versions = {} if is_fresh else _versions(folder)
        self._files: WSGIApplication = WhiteNoise(
            wsgi_app,
            root=str(folder),
            prefix=prefix,
            autorefresh=is_fresh,
            allow_all_origins=False,
            add_headers_function=_add_headers,
        )

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        name = environ.get("PATH_INFO", "").removeprefix(f"/{self.prefix}/")
        version = self.versions.get(name)
        if version is None:
            return self._files(environ, start_response)
        is_named = "@" in name or environ.get("QUERY_STRING", "") == f"v={version}"
        return self._files(environ, _with_cache(start_response, FOREVER if is_named else ASK_FIRST))

    def add_version(self, endpoint: str, values: dict[str, Any]) -> None:
        """Put the content's hash into an address that `url_for("static", filename=…)` builds."""
        version = self.versions.get(values.get("filename", ""))
        if endpoint == "static" and version and "@" not in values["filename"]:
            values["v"] = version


def init_app(app: Flask) -> None:
    """Serve the application's static folder. While debugging, files are read anew and carry no hash."""
    files = StaticFiles(app.wsgi_app, Path(app.static_folder or "static"), "static", is_fresh=app.debug)
    app.wsgi_app = files  # type: ignore[method-assign]
    app.url_defaults(files.add_version)


def _versions(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file() and path.suffix != ".gz")
    return {path.relative_to(folder).as_posix(): _hash(path) for path in files}


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:HASH_CHARACTERS]


def _add_headers(headers: Any, _path: str, _url: str) -> None:
    headers["Cache-Control"] = ASK_FIRST
    for name, value in FILE_HEADERS.items():
        headers[name] = value


def _with_cache(start_response: StartResponse, value: str) -> StartResponse:
    def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
        kept = [(name, text) for name, text in headers if name.lower() != "cache-control"]
        return start_response(status, [*kept, ("Cache-Control", value)], *rest)

    return start
