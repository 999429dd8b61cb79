"""What happens now, by the same actions that people use: their events are the first that a worker sends."""

from __future__ import annotations

from webapp.seeds.casting import Cast
from webapp.seeds.work import Work
from webapp.workspace import records


def go_on(cast: Cast, work: Work) -> None:
    """A few changes on both boards."""
    order = records.create(work.next_order, list_=work.list_named("New"), by=cast.charles)
    page = records.create("Call the printer", list_=work.list_named("To do"), by=cast.ada)
    records.move(order, list_=work.list_named("Packed"), by=cast.charles)
    records.edit(
        page,
        {"title": "Call the printer about the leaflets", "assignee_ids": [cast.mary.id], "tag_titles": ["Design"]},
        by=cast.ada,
    )
    records.set_done(page, True, by=cast.mary)
    records.move(page, list_=work.list_named("Done"), by=cast.mary)
