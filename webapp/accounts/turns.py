"""One at a time: for a count that must hold when many come at once."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session


def wait_for(session: Session, turn: int) -> None:
    """Wait until no other transaction() has this turn; ours ends with it. SQLite has locked all of it already."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(sa.select(sa.func.pg_advisory_xact_lock(turn)))
