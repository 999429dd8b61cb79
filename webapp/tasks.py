"""huey tasks, a call each. A task finds its work in rows; losing one loses nothing."""

from __future__ import annotations

from webapp.delivery import dispatching
from webapp.extensions import huey


@huey.task()  # type: ignore[no-untyped-call, untyped-decorator]
def deliver_due() -> None:
    """The bell: tell this process's dispatcher that there is work."""
    dispatching.wake()
