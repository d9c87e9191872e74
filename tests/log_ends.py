"""How far the log has come: it moves when, and only when, something has happened."""

import nats

from stacks import Platform


async def log_ends(up: Platform) -> tuple[int, ...]:
    """The last sequences of the streams that hold what was decided and what was done."""
    async with await nats.connect(up.file().nats_url) as nc:
        js = nc.jetstream()
        infos = [await js.stream_info(name) for name in ("CAMPAIGNS", "MESSAGES")]
    return tuple(info.state.last_seq for info in infos)
