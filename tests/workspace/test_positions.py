from __future__ import annotations

import pytest

from webapp.workspace import positions


def test_positions_follow_blues_numbers():
    assert positions.last(None) == 65535.0
    assert positions.last(65535.0) == 131070.0
    assert positions.between(None, 65535.0) == 32767.5
    assert positions.between(None, None) == 65535.0
    assert positions.between(65535.0, None) == 131070.0
    assert positions.numbered(3) == [65535.0, 131070.0, 196605.0]


@pytest.mark.parametrize("neighbours", [(None, 1 / 1024), (5.0, 5.0), (5.0, 5.0009)])
def test_where_no_room_is_left_positions_say_so(neighbours):
    assert not positions.has_room(*neighbours)


def test_between_neighbours_with_room_a_position_lies_between():
    assert positions.has_room(1.0, 2.0)
    assert positions.between(1.0, 2.0) == 1.5
