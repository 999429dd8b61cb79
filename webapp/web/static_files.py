"""Static files: served before Flask sees the request (no session, no cookie), cached for good when their address names
their content (`?v=<hash>`, or a vendored folder with a version in its name), and compressed: vendored ones lie beside
their `.gz`, our own are compressed once, at start."""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flask import Flask
from werkzeug.http import parse_accept_header
from whitenoise import WhiteNoise

from webapp.web.headers import FILE_HEADERS

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

HASH_CHARACTERS = 12
FOREVER = "public, max-age=31536000, immutable"
COMPRESSED = frozenset({".css", ".js", ".svg"})
ASK_FIRST = "no-cache"  # may be kept, but is asked for each time: 304 when it is the same


class StaticFiles:
    """A WSGI layer that answers for static files and passes everything else on."""

    def __init__(self, wsgi_app: WSGIApplication, folder: Path, prefix: str, *, is_fresh: bool) -> None:
        self.prefix = prefix
        self.versions = {} if is_fresh else _versions(folder)
        self._compressed = {} if is_fresh else _compressed(folder)
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
        if is_named and name in self._compressed and _wants_gzip(environ):
            start_response("200 OK", _headers_of(name, len(self._compressed[name])))
            return [self._compressed[name]]
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


def _compressed(folder: Path) -> dict[str, bytes]:
    """Our own files; those of the vendor folder are compressed on disk."""
    own = (path for path in folder.rglob("*") if path.suffix in COMPRESSED and "vendor" not in path.parts)
    return {path.relative_to(folder).as_posix(): gzip.compress(path.read_bytes(), mtime=0) for path in own}


def _wants_gzip(environ: WSGIEnvironment) -> bool:
    accepted = parse_accept_header(environ.get("HTTP_ACCEPT_ENCODING", ""))
    return environ["REQUEST_METHOD"] == "GET" and "HTTP_RANGE" not in environ and accepted["gzip"] > 0


def _headers_of(name: str, length: int) -> list[tuple[str, str]]:
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    return [
        ("Content-Type", f"{kind}; charset=utf-8" if kind.startswith("text/") else kind),
        ("Content-Encoding", "gzip"),
        ("Content-Length", str(length)),
        ("Vary", "Accept-Encoding"),
        ("Cache-Control", FOREVER),
        *FILE_HEADERS.items(),
    ]


def _add_headers(headers: Any, _path: str, _url: str) -> None:
    headers["Cache-Control"] = ASK_FIRST
    for name, value in FILE_HEADERS.items():
        headers[name] = value


def _with_cache(start_response: StartResponse, value: str) -> StartResponse:
    def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
        kept = [(name, text) for name, text in headers if name.lower() not in {"cache-control", "vary"}]
        return start_response(status, [*kept, ("Cache-Control", value), ("Vary", "Accept-Encoding")], *rest)

    return start
