"""Orphans: deliveries that a killed worker of this machine had claimed. Nobody sends them before their lease runs out.

They are no requests that a receiver has to answer, so they do not count against what it may get at once: otherwise a
kill would hold a busy webhook up for the length of a lease, though a new worker runs seconds later.
"""

from __future__ import annotations

import os
import socket
from collections import Counter

import sqlalchemy as sa

from webapp.extensions import db
from webapp.models import Attempt, Delivery, Worker
from webapp.models.among import among
from webapp.models.base import table_of

_DELIVERY, _ATTEMPT, _WORKER = table_of(Delivery), table_of(Attempt), table_of(Worker)
_HERE = sa.select(_WORKER.c.id, _WORKER.c.pid).where(_WORKER.c.host == sa.bindparam("host"))
_LEASED = (
    sa.select(_DELIVERY.c.webhook_id, sa.func.count())
    .join(
        _ATTEMPT,
        sa.and_(_ATTEMPT.c.delivery_seq == _DELIVERY.c.seq, _ATTEMPT.c.claim_token == _DELIVERY.c.claim_token),
    )
    .where(_DELIVERY.c.lease_until.is_not(None), among(_ATTEMPT.c.worker, "dead"))
    .group_by(_DELIVERY.c.webhook_id)
)


def count() -> Counter[str]:
    """How many there are of each webhook. One look at the workers when none of this machine was killed."""
    connection = db.session.connection()
    here = connection.execute(_HERE, {"host": socket.gethostname()}).all()
    dead = [row.id for row in here if not _is_running(row.pid)]
    if not dead:
        return Counter()
    return Counter({row[0]: row[1] for row in connection.execute(_LEASED, {"dead": dead})})


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # somebody else's, but there
        return True
    return True
