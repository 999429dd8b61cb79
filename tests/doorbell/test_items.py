"""What lies in the queue is JSON; everything else is refused and dropped."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import pickle
import random
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from huey.registry import Message
from hypothesis import given
from hypothesis import strategies as st

from tests.doorbell.workers import TASK, until
from webapp.doorbell import JsonSerializer, UnreadableItemError
from webapp.doorbell.storage import MAX_ITEMS_WAITING


def item(**changes: Any) -> bytes:
    return json.dumps({"v": 1, "id": "x", "task": TASK, "args": [1], "kwargs": {}} | changes).encode()


@pytest.mark.proves("W40")
@pytest.mark.timeout(60)
def test_a_thousand_random_byte_strings_leave_the_worker_alive(
    huey_and_note: Any, seen: list[Any], tmp_path: Path, caplog: pytest.LogCaptureFixture, listen: Any
) -> None:
    huey, note = huey_and_note

    class Trap:
        def __reduce__(self) -> Any:
            return os.mkdir, (str(tmp_path / "unpickled"),)

    huey.storage.enqueue(pickle.dumps(Trap()))
    huey.storage.enqueue(pickle.dumps(Message("1", TASK, args=(1,), kwargs={})))
    for _ in range(MAX_ITEMS_WAITING - 3):
        huey.storage.enqueue(random.randbytes(random.randrange(1, 200)))
    note("after")
    listener = listen(huey)
    until(lambda: seen == ["after"], 30)
    assert listener.is_alive
    assert listener.stop(10)
    assert not (tmp_path / "unpickled").exists()
    assert len([r for r in caplog.records if r.levelno == logging.WARNING]) == MAX_ITEMS_WAITING - 1


@pytest.mark.proves("W40")
@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "not JSON"),
        (b"\xff", "not JSON"),
        (b"[" * 50_000, "not JSON"),
        (b'{"v":1,"value":NaN}', "not JSON"),
        (b"9" * 70_000, "longer"),
        ("text", "str, not bytes"),
        (b"[]", "version"),
        (item(v=2), "version"),
        (item(v=True), "version"),
        (item(v=1.0), "version"),
        (item(more=1), "keys"),
        (b'{"v":1}', "keys"),
        (item(id=7), "'id'"),
        (item(task=None), "'task'"),
        (item(task="x" * 201), "'task'"),
        (item(args={}), "arguments"),
        (item(kwargs=[]), "arguments"),
        (item(task="os.system"), "not known"),
        (b'{"v":1,"value":[1]}', "no task"),
    ],
)
def test_what_is_no_item_of_ours_is_refused_with_the_reason(huey_and_note: Any, data: Any, reason: str) -> None:
    with pytest.raises(UnreadableItemError, match=reason):
        huey_and_note[0].deserialize_task(data)


@pytest.mark.parametrize("column", ["cast(x'ff' as text)", "7", "'text'"])
def test_a_row_that_is_not_even_bytes_is_dropped(huey_and_note: Any, tmp_path: Path, column: str, caplog: Any) -> None:
    huey, _ = huey_and_note
    huey.storage.queue_size()
    with contextlib.closing(sqlite3.connect(tmp_path / "queue.db")) as connection, connection:
        connection.execute(f"insert into task (queue, data) values (?, {column})", (huey.name,))
    assert huey.dequeue() is None
    assert "not bytes" in caplog.text
    assert huey.pending_count() == 0


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(args=st.lists(json_values, max_size=3), kwargs=st.dictionaries(st.text(), json_values, max_size=3))
def test_json_arguments_come_out_as_they_went_in(args: list[Any], kwargs: dict[str, Any]) -> None:
    written = JsonSerializer().serialize(Message("1", TASK, args=tuple(args), kwargs=kwargs))
    read = JsonSerializer().deserialize(written)
    assert (read.id, read.name, read.args, read.kwargs) == ("1", TASK, tuple(args), kwargs)


@given(
    data=st.binary(max_size=300) | st.text(max_size=100).map(str.encode) | json_values.map(json.dumps).map(str.encode)
)
def test_reading_never_raises_anything_but_the_refusal(data: bytes) -> None:
    with contextlib.suppress(UnreadableItemError):
        JsonSerializer().deserialize(data)


@pytest.mark.parametrize(
    "argument", [(1,), {1: 2}, {1}, b"bytes", float("nan"), [float("inf")], object(), ["x" * 70_000]]
)
def test_arguments_that_are_not_json_are_refused_at_once(huey_and_note: Any, argument: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        huey_and_note[1](argument)


def test_what_must_happen_later_is_refused_as_it_belongs_into_a_row(huey_and_note: Any) -> None:
    huey, note = huey_and_note
    for later in (note.s(1, delay=5), note.s(1, retries=2), note.s(1).then(note, 2)):
        with pytest.raises(ValueError, match="is a row"):
            huey.enqueue(later)


def test_a_queue_that_nobody_empties_stays_small(huey_and_note: Any) -> None:
    huey, note = huey_and_note
    for number in range(MAX_ITEMS_WAITING + 50):
        note(number)
    assert huey.pending_count() == MAX_ITEMS_WAITING
