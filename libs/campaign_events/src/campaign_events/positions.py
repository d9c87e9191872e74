"""Reading one's own writes: `Event-Position` on answers, `Min-Event-Position` on requests."""

from collections.abc import Sequence
from typing import Annotated

import anyio
from fastapi import Header, Request, Response

from campaign_events.envelope import Position
from campaign_events.problems import Problem
from campaign_events.projector import Projector

WAIT_S = 2.0


def tell(response: Response, position: Position) -> None:
    """Put the place of a write into its answer."""
    response.headers["Event-Position"] = str(position)


async def up_to_date(
    request: Request, min_event_position: Annotated[str | None, Header()] = None
) -> None:
    """Wait until every view of this service (`app.state.projectors`) holds what the caller wrote.

    Raises:
        Problem: 422 when the header is not a position, 425 when the views take over 2 s.

    """
    if min_event_position is None:
        return
    try:
        position = Position.parse(min_event_position)
    except ValueError as error:
        raise Problem(422, "invalid", f"Min-Event-Position: {error}") from error
    projectors: Sequence[Projector] = request.app.state.projectors
    behind: list[str] = []

    async def wait(projector: Projector, seq: int) -> None:
        if not await projector.reached(seq, WAIT_S):
            behind.append(projector.projection.name)

    async with anyio.create_task_group() as group:
        for stream, seq in position.seqs:
            for projector in projectors:
                if projector.projection.stream == stream:
                    group.start_soon(wait, projector, seq)
    if behind:
        raise Problem(
            425, "position_not_reached", f"Not yet there: {', '.join(sorted(behind))}. Try again."
        )


async def settled(
    request: Request,
    response: Response,
    min_event_position: Annotated[str | None, Header()] = None,
) -> Position:
    """Do as `up_to_date` does, and tell the place that the answer holds at least.

    Raises:
        Problem: as for `up_to_date`.

    """
    await up_to_date(request, min_event_position)
    seqs: dict[str, int] = {}
    projectors: Sequence[Projector] = request.app.state.projectors
    for projector in projectors:
        stream = projector.projection.stream
        seqs[stream] = min(seqs.get(stream, projector.seq), projector.seq)
    position = Position(tuple(sorted(seqs.items())))
    tell(response, position)
    return position
