"""How far the log has come: it moves when, and only when, something has happened."""

import nats

from campaign_events.envelope import Position
from stacks import Platform


async def log_ends(up: Platform) -> tuple[int, ...]:
    """The last sequences of the streams that hold what was decided and what was done."""
    return tuple((await _ends(up, "CAMPAIGNS", "MESSAGES")).values())


async def log_position(up: Platform) -> str:
    """What a reader gives as `Min-Event-Position` to see everything that has happened."""
    return str(Position(tuple((await _ends(up, *Position.CODES)).items())))


async def _ends(up: Platform, *streams: str) -> dict[str, int]:
    async with await nats.connect(up.file().nats_url) as nc:
        js = nc.jetstream()
        return {name: (await js.stream_info(name)).state.last_seq for name in streams}
