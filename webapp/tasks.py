"""huey tasks, a call each. A task finds its work in rows; losing one loses nothing.

The thread that runs them takes the bell, too, so what may take long is set aside, into a thread of its own. Every
worker runs the periodic ones: each must bear others at the same work.
"""

from __future__ import annotations

from huey.api import crontab

from webapp.accounts import notices
from webapp.delivery import dispatching, pruning
from webapp.extensions import huey
from webapp.webhooks import secrets
from webapp.workspace import importing


@huey.task()  # type: ignore[no-untyped-call, untyped-decorator]
def deliver_due() -> None:
    """The bell: tell this process's dispatcher that there is work."""
    dispatching.wake()


@huey.periodic_task(crontab(minute="17"))  # type: ignore[no-untyped-call, untyped-decorator]
def prune() -> None:
    """Each hour: delete what has had its days, and secrets whose overlap is over."""
    huey.set_aside(pruning.prune)
    huey.set_aside(secrets.wipe_expired)


@huey.periodic_task(crontab())  # type: ignore[no-untyped-call, untyped-decorator]
def mail() -> None:
    """Each minute: send the notices that are due."""
    huey.set_aside(notices.send_due)


@huey.periodic_task(crontab())  # type: ignore[no-untyped-call, untyped-decorator]
def import_records() -> None:
    """At once when somebody starts an import; each minute go on with those that a worker left when it died."""
    huey.set_aside(importing.work)
