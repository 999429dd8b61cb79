"""How a process on this machine is woken: one local datagram socket per waiting process, in a folder only we can enter.

The folder's name is derived from the queue's path, so that all processes of one installation find each other. It lies
in the temp folder and is short, because a socket's path may have about 107 bytes (104 on macOS). Processes that do not
share a temp folder do not hear each other: the bell is lost, and the look each second carries everything.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import secrets
import socket
import stat
import tempfile
from pathlib import Path

log = logging.getLogger(__name__)

MAX_SOCKET_PATH_BYTES = 103  # macOS has room for 104 with the closing zero, Linux for 108
MAX_RINGS_READ = 1_000  # a flood of rings must not keep the reader here

_RING = b"!"
_SUFFIX = ".bell"


class UnsafeFolderError(OSError):
    """The folder of the sockets is not ours alone: someone else could plant or remove sockets in it."""


def bell_folder(queue_path: str | os.PathLike[str]) -> Path:
    """The folder for the sockets of this queue: `<temp>/bell-<user id>-<hash of the queue's path>`."""
    digest = hashlib.sha256(os.fsencode(os.path.realpath(queue_path))).hexdigest()[:12]
    name = f"bell-{os.geteuid()}-{digest}"
    folder = Path(tempfile.gettempdir()).resolve() / name
    longest = folder / f"{2**22}-{secrets.token_hex(4)}{_SUFFIX}"
    return folder if len(os.fsencode(longest)) <= MAX_SOCKET_PATH_BYTES else Path("/tmp").resolve() / name  # noqa: S108 - checked below


def check_folder(folder: Path) -> None:
    """Raise UnsafeFolderError unless the folder is a real one, ours, closed to others, and nobody else can swap it."""
    itself, parent = folder.lstat(), folder.parent.stat()
    if not stat.S_ISDIR(itself.st_mode) or itself.st_uid != os.geteuid() or itself.st_mode & 0o077:
        raise UnsafeFolderError(f"{folder} must be a folder of user {os.geteuid()} with mode 0700")
    if parent.st_uid not in (0, os.geteuid()) or (parent.st_mode & 0o022 and not parent.st_mode & stat.S_ISVTX):
        raise UnsafeFolderError(f"others can replace folders in {folder.parent}")


def ring(folder: Path) -> int:
    """Wake every process that waits in the folder, remove the sockets of those that are gone; how many were woken.

    Never waits: a full socket has enough rings in it already. Raises OSError when the folder is not safe.
    """
    try:
        check_folder(folder)
        paths = [path for path in folder.iterdir() if path.suffix == _SUFFIX]
    except FileNotFoundError:
        return 0
    if not paths:
        return 0
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ringer:
        ringer.setblocking(False)
        return sum(_ring_one(ringer, path) for path in paths)


def _ring_one(ringer: socket.socket, path: Path) -> bool:
    try:
        ringer.sendto(_RING, os.fspath(path))
    except ConnectionRefusedError:  # nobody reads it any more; names are never used twice, so this one is free to go
        path.unlink(missing_ok=True)
        return False
    except FileNotFoundError:
        return False
    except OSError as error:
        log.debug("%s was not rung: %s", path, error)  # full, which is as good as rung
    return True


class BellSocket:
    """The socket of the process that made it. Raises OSError when it cannot be made."""

    def __init__(self, folder: Path) -> None:
        self.pid = os.getpid()
        with contextlib.suppress(FileExistsError):
            folder.mkdir(mode=0o700)
        ring(folder)  # checks the folder and removes the sockets of those that were killed
        self.path = folder / f"{self.pid}-{secrets.token_hex(4)}{_SUFFIX}"
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            self._socket.bind(os.fspath(self.path))
            self._identity = _identity(self.path)
        except OSError:
            self._socket.close()
            raise

    @property
    def is_ours(self) -> bool:
        """Whether this process made it and its path still leads to it (temp folders are swept)."""
        try:
            return self.pid == os.getpid() and _identity(self.path) == self._identity
        except FileNotFoundError:
            return False

    def wait(self, seconds: float) -> bool:
        """Wait until it rings, at most so long; several rings are one."""
        self._socket.settimeout(seconds)
        try:
            self._socket.recv(1)
        except TimeoutError:
            return False
        self._socket.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            for _ in range(MAX_RINGS_READ):
                self._socket.recv(1)
        return True

    def close(self) -> None:
        """Close it; its path goes with it only in the process that made it, and the folder with the last one."""
        if self.is_ours:
            self.path.unlink(missing_ok=True)
            with contextlib.suppress(OSError):
                self.path.parent.rmdir()
        self._socket.close()


def _identity(path: Path) -> tuple[int, int]:
    found = path.lstat()
    return found.st_dev, found.st_ino
