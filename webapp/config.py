"""Every setting: name, type, unit, default, a line of help. All are validated at start, all errors told at once."""

from __future__ import annotations

import importlib.util
import secrets
from collections.abc import Iterator
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from cryptography.fernet import Fernet
from flask import current_app
from pydantic import BeforeValidator, Field, PrivateAttr, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from webapp import key_files, spans
from webapp.mail_server import MailServer

VERSION = "0.1.0"
PREFIX = "WEBAPP_"
MASKED = "(set)"

DEFAULT_RETRY_SCHEDULE = "0,5s,5m,30m,2h,5h,10h,14h,20h,24h"
MIN_TOKEN_LENGTH = 16
IN_MEMORY = {"sqlite:///", "sqlite:///:memory:"}


class SettingsError(Exception):
    """The settings are wrong. Its text names every wrong value, one a line, for the person who starts the program."""


def _split(value: object) -> object:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _span(value: object) -> object:
    return spans.parse(value) if isinstance(value, str) else value


def _spans(value: object) -> object:
    parts = _split(value)
    return [_span(part) for part in parts] if isinstance(parts, list) else parts


Texts = Annotated[list[str], NoDecode, BeforeValidator(_split)]
Secrets = Annotated[list[SecretStr], NoDecode, BeforeValidator(_split)]
Span = Annotated[timedelta, BeforeValidator(_span)]
Spans = Annotated[list[timedelta], NoDecode, BeforeValidator(_spans)]


class Settings(BaseSettings):
    """The settings of one installation, read from ``WEBAPP_<NAME>`` variables and ``.env``."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_file=".env", extra="ignore", env_ignore_empty=True)

    instance: Path = Field(Path("instance"), description="folder of the embedded databases and keys")
    database_url: str = Field("", description="SQLite (default, in the instance folder) or postgresql://…")
    queue_url: str = Field("", description="sqlite:///… (default, in the instance folder), redis://… or postgresql://…")
    secret_key: SecretStr = Field(SecretStr(""), description="signs sessions; default: made once, instance/secret.key")
    encryption_keys: Secrets = Field([], description="Fernet keys, newest first; default: instance/encryption.key")
    base_url: str = Field("", description="address that people use, e.g. https://hooks.example.com")
    allow_http: bool = Field(False, description="allow plain http targets for all webhooks")
    allow_targets: Texts = Field([], description="exact host:port targets to open, also private ones")
    allow_cidrs: Texts = Field([], description="private address ranges to open")
    retry_schedule: Spans = Field(
        _spans(DEFAULT_RETRY_SCHEDULE), description="waits before each attempt, e.g. 0,5s,5m,2h", validate_default=True
    )
    request_timeout: Span = Field(timedelta(seconds=20), description="one attempt, everything included")
    lease_seconds: int = Field(60, ge=2, le=3600, description="how long a worker owns what it claimed, seconds")
    retention_days: int = Field(30, ge=1, le=3650, description="how long events and deliveries are kept, days")
    webhook_role: Literal["admin", "member"] = Field("admin", description="who may have webhooks: admin or member")
    mail_url: SecretStr = Field(
        SecretStr(""), description="smtp:// or smtps://user:password@host:port?from=address; empty: no mail"
    )
    outbound_proxy: str = Field("", description="http://host:port that all deliveries go through")
    ca_file: Path | None = Field(None, description="PEM file of further certificate authorities")
    dns_servers: Texts = Field([], description="name servers to ask; default: the system's")
    trusted_proxies: int = Field(0, ge=0, le=10, description="reverse proxies in front, for forwarded headers")
    metrics_token: SecretStr = Field(
        SecretStr(""), description="opens /metrics for other machines, as a bearer token; 16 characters or more"
    )
    log_format: Literal["auto", "console", "json"] = Field("auto", description="console, json, or by terminal")

    _given: frozenset[str] = PrivateAttr(frozenset())
    _key_file: Path | None = PrivateAttr(None)

    @field_validator("instance")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().absolute()

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, value: str) -> str:
        value = _spelt_out(value)
        if value and not value.startswith(("sqlite:///", "postgresql://", "postgresql+psycopg://")):
            raise ValueError("must begin with sqlite:/// or postgresql://")
        if value in IN_MEMORY:
            raise ValueError("needs the path of a file, as web and worker share it: sqlite:///app.db")
        if value.startswith("postgresql") and importlib.util.find_spec("psycopg") is None:
            raise ValueError("needs a package more: pip install 'blue-webhooks[postgres]'")
        try:
            make_url(value or "sqlite://")
            urlsplit(value)
        except (ArgumentError, ValueError):
            raise ValueError("has no valid address; write postgresql://user:password@host:5432/name") from None
        return value.replace("postgresql://", "postgresql+psycopg://", 1)

    @field_validator("queue_url")
    @classmethod
    def _known_queue(cls, value: str) -> str:
        value = _spelt_out(value)
        if value and not value.startswith(("sqlite:///", "redis://", "rediss://", "postgresql://", "memory://")):
            raise ValueError("must begin with sqlite:///, redis://, rediss:// or postgresql://")
        return value

    @field_validator("base_url")
    @classmethod
    def _plain_origin(cls, value: str) -> str:
        value = value.rstrip("/")
        if not value:
            return value
        parts = urlsplit(value)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path or parts.query or parts.username:
            raise ValueError("must be an address without a path, such as https://hooks.example.com")
        return value.lower()

    @field_validator("allow_targets")
    @classmethod
    def _host_and_port(cls, value: list[str]) -> list[str]:
        for entry in value:
            host, colon, port = entry.rpartition(":")
            if not (host and colon and port.isascii() and port.isdigit() and 0 < int(port) < 65536):
                raise ValueError(f"“{entry}” is not host:port")
        return value

    @field_validator("allow_cidrs")
    @classmethod
    def _bounded_ranges(cls, value: list[str]) -> list[str]:
        for entry in value:
            network = ip_network(entry)
            if network.prefixlen == 0:
                raise ValueError(f"“{entry}” opens everything; name the range that you need (there is no off switch)")
        return value

    @field_validator("retry_schedule")
    @classmethod
    def _some_attempts(cls, value: list[timedelta]) -> list[timedelta]:
        if not 1 <= len(value) <= 50:
            raise ValueError("needs 1 to 50 spans")
        return value

    @field_validator("encryption_keys")
    @classmethod
    def _fernet_keys(cls, value: list[SecretStr]) -> list[SecretStr]:
        for key in value:
            try:
                Fernet(key.get_secret_value())
            except ValueError:
                raise ValueError("each key must be 32 bytes in URL-safe base64") from None
        return value

    @field_validator("mail_url")
    @classmethod
    def _usable_mail_server(cls, value: SecretStr) -> SecretStr:
        if value.get_secret_value():
            MailServer.parse(value.get_secret_value())
        return value

    @field_validator("metrics_token")
    @classmethod
    def _long_token(cls, value: SecretStr) -> SecretStr:
        text = value.get_secret_value()
        if text and (len(text) < MIN_TOKEN_LENGTH or not text.isascii() or not text.isprintable() or " " in text):
            raise ValueError(f"needs at least {MIN_TOKEN_LENGTH} ASCII characters without blanks")
        return value

    @model_validator(mode="after")
    def _lease_covers_the_attempt(self) -> Settings:
        if not timedelta(seconds=0.1) <= self.request_timeout <= timedelta(seconds=self.lease_seconds / 2):
            raise ValueError(
                f"{PREFIX}REQUEST_TIMEOUT must be at least 0.1 s and at most half of {PREFIX}LEASE_SECONDS "
                f"({self.lease_seconds} s), or a delivery could be claimed twice"
            )
        return self

    @model_validator(mode="after")
    def _fill_in(self) -> Settings:
        self._given = frozenset(self.model_fields_set)
        self.database_url = self.database_url or f"sqlite:///{self.instance / 'app.db'}"
        self.queue_url = self.queue_url or f"sqlite:///{self.instance / 'queue.db'}"
        return self

    @property
    def is_sqlite(self) -> bool:
        """Whether the embedded database is used."""
        return self.database_url.startswith("sqlite")

    @property
    def key_file(self) -> Path | None:
        """Where the encryption keys were read from; None when they were given."""
        return self._key_file

    @property
    def mail_server(self) -> MailServer | None:
        """Where mail is handed over; None = there is no mail."""
        url = self.mail_url.get_secret_value()
        return MailServer.parse(url) if url else None

    @property
    def lease(self) -> timedelta:
        """How long a worker owns what it claimed."""
        return timedelta(seconds=self.lease_seconds)

    def rows(self) -> Iterator[tuple[str, str, bool, str]]:
        """Name, shown value (secrets masked), whether it was changed, and help, for each setting."""
        for name, field in type(self).model_fields.items():
            yield (
                PREFIX + name.upper(),
                _shown(name, getattr(self, name)),
                name in self._given,
                field.description or "",
            )


def _spelt_out(url: str) -> str:
    """Many who rent out databases write it short."""
    return url.replace("postgres://", "postgresql://", 1) if url.startswith("postgres://") else url


def _shown(name: str, value: Any) -> str:
    if isinstance(value, SecretStr):
        return MASKED if value.get_secret_value() else ""
    if name in {"database_url", "queue_url", "outbound_proxy"}:
        return _without_password(value)
    if isinstance(value, list):
        return ", ".join(MASKED if isinstance(part, SecretStr) else _shown("", part) for part in value)
    if isinstance(value, timedelta):
        return spans.text(value)
    return "" if value is None else str(value)


def _without_password(url: str) -> str:
    parts = urlsplit(url)
    if not parts.password:
        return url
    return parts._replace(netloc=f"{parts.username or ''}:{MASKED}@{parts.netloc.rpartition('@')[2]}").geturl()


def load(**overrides: Any) -> Settings:
    """The validated settings; raises SettingsError with all that is wrong. Makes missing keys in its folder."""
    try:
        settings = Settings(**overrides)
    except ValidationError as error:
        raise SettingsError("\n".join(_sentence(detail) for detail in error.errors())) from None
    try:
        _make_missing_keys(settings)
    except OSError as error:
        raise SettingsError(f"{PREFIX}INSTANCE: cannot use {settings.instance}: {error.strerror or error}") from None
    return settings


def _sentence(detail: Any) -> str:
    where = PREFIX + str(detail["loc"][0]).upper() + ": " if detail["loc"] else ""
    shown = f" (it is {detail['input']!r})" if detail["loc"] and not _may_be_secret(detail) else ""
    return f"{where}{detail['msg'].removeprefix('Value error, ')}{shown}"


def _may_be_secret(detail: Any) -> bool:
    """A wrong value is not repeated when it may hold a password: whoever reads the screen may be somebody else."""
    field = Settings.model_fields.get(str(detail["loc"][0]))
    return "key" in str(detail["loc"][0]) or "@" in str(detail["input"]) or "Secret" in str(field and field.annotation)


def _make_missing_keys(settings: Settings) -> None:
    settings.instance.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not settings.secret_key.get_secret_value():
        settings.secret_key = SecretStr(key_files.key_in(settings.instance / "secret.key", secrets.token_urlsafe(48)))
    if not settings.encryption_keys:
        settings._key_file = settings.instance / "encryption.key"
        text = key_files.key_in(settings._key_file, Fernet.generate_key().decode())
        settings.encryption_keys = [SecretStr(line) for line in text.split()]


def current() -> Settings:
    """The settings of the running application."""
    settings: Settings = current_app.extensions["settings"]
    return settings
