"""Keys that an installation makes for itself, each in a file that only its owner may read."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def key_in(path: Path, fresh: str) -> str:
    """The key in a file, which is made with a fresh one where there is none; raises OSError when it cannot be.

    Two first starts at once agree on one key: whoever links its finished file first wins.
    """
    if not path.exists():
        draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(fresh + "\n")
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text().strip()
