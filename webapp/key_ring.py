"""The keys that secrets are encrypted with at rest: newest first, read anew when their file changes."""

from __future__ import annotations

import fcntl
import logging
import os
from collections.abc import Sequence
from pathlib import Path

from cryptography.fernet import Fernet, MultiFernet

from webapp.config import PREFIX, Settings, SettingsError

log = logging.getLogger(__name__)


class KeyRing:
    """The keys of this installation. Those of a file are read again once it was replaced, so that no process that runs
    meanwhile meets a ciphertext of a key that it does not know, or goes on with one that was followed by another."""

    def __init__(self, keys: Sequence[str], file: Path | None = None) -> None:
        self._file = file
        self._seen: tuple[int, int] | None = None
        self._keys = tuple(keys)
        self._fernets = _fernets(keys)

    @classmethod
    def of(cls, settings: Settings) -> KeyRing:
        """The keys of these settings. Raises SettingsError when the file holds something else."""
        try:
            return cls([key.get_secret_value() for key in settings.encryption_keys], settings.key_file)
        except ValueError:
            raise SettingsError(
                f"{settings.key_file}: each line must be a key of 32 bytes in URL-safe base64"
            ) from None

    def current(self) -> MultiFernet:
        """Encrypts with the newest key, decrypts with any."""
        mark = _mark(self._file)
        if mark is not None and mark != self._seen:
            self._read(mark)
        return self._fernets

    @property
    def newest(self) -> Fernet:
        """The key that is encrypted with."""
        self.current()
        return Fernet(self._keys[0])

    def _read(self, mark: tuple[int, int]) -> None:
        """Take the keys of the file; a file that cannot be read changes nothing."""
        assert self._file is not None  # noqa: S101 - it has a mark; a fact for the type checker
        try:
            keys = tuple(self._file.read_text().split())
            self._fernets = _fernets(keys)
        except (OSError, ValueError):
            log.exception("the changed file of encryption keys cannot be read; going on with the keys from before")
        else:
            self._keys = keys
        self._seen = mark


def add_key(settings: Settings) -> None:
    """Put a fresh key before those in the file, which stay. Two at once take turns; the file is never half written.

    Raises SettingsError when the keys do not come from the file.
    """
    path = settings.key_file
    if path is None:
        raise SettingsError(
            f"The keys come from {PREFIX}ENCRYPTION_KEYS. Put a new one in front there, start everything anew, and run "
            "this again without --new."
        )
    lock = os.open(path.with_name("keys.lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _replace(path, f"{Fernet.generate_key().decode()}\n{path.read_text()}")
    finally:
        os.close(lock)


def _replace(path: Path, text: str) -> None:
    """On disk before it counts: rows are encrypted with what stands there from now on."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(draft, path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _fernets(keys: Sequence[str]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])


def _mark(file: Path | None) -> tuple[int, int] | None:
    """What tells one version of a file from the next; None where there is none."""
    try:
        found = os.stat(file) if file else None
    except OSError:
        return None
    return (found.st_ino, found.st_mtime_ns) if found else None
