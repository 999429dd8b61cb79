"""The doorbell: huey carries "there is work" from whoever changed something to the workers, and nothing else.

Everything that must survive is a row in the database; a bell may be lost, and a worker then finds the work a second
later. So the rules here are: never hold up the one who rings (`BELL_LIMIT`), wake a worker within milliseconds, read
nothing but JSON from the queue, and outlive a queue that is gone. In reading order: `items` (what lies in the queue),
`sockets` (how a process is woken), `storage` (SQLite with a bell), `remote` (Redis, PostgreSQL), `queues` (which one),
`app_huey` (huey inside Flask) and `listener` (the thread of a worker). Imports nothing of webapp.
"""

from webapp.doorbell.app_huey import AppHuey, make_huey
from webapp.doorbell.items import JsonSerializer, UnreadableItemError
from webapp.doorbell.listener import Listener
from webapp.doorbell.queues import QueueUrlError
from webapp.doorbell.remote import redis_options
from webapp.doorbell.storage import BELL_LIMIT, BellLostError, DoorbellStorage

__all__ = [
    "BELL_LIMIT",
    "AppHuey",
    "BellLostError",
    "DoorbellStorage",
    "JsonSerializer",
    "Listener",
    "QueueUrlError",
    "UnreadableItemError",
    "make_huey",
    "redis_options",
]
