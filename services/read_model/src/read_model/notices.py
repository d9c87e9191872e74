"""Word that a view has changed, from the projector to every process that has pages open.

Core NATS, `view.<workspace>`: a notice may get lost, the view itself never does.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass

import nats.errors
import orjson
import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

from campaign_events.envelope import Batch

log = structlog.get_logger(__name__)

type Listener = Callable[[str, frozenset[str]], None]
"""Is told the workspace, and the ids of the things that have changed in it."""


@dataclass(frozen=True, slots=True)
class Notices:
    """Says and hears what has changed."""

    nc: Client

    async def committed(self, batch: Batch) -> None:
        """Tell what a committed batch was about: one notice per workspace."""
        changed: defaultdict[str, set[str]] = defaultdict(set)
        for recorded in batch:
            changed[recorded.address.workspace].add(recorded.address.thing)
        try:
            for workspace, things in changed.items():
                await self.nc.publish(f"view.{workspace}", orjson.dumps(sorted(things)))
        except nats.errors.Error as error:
            log.warning("notice lost", why=repr(error))

    async def heard_by(self, listener: Listener) -> Subscription:
        """Pass every notice on; one subscription for the whole process."""

        async def hear(message: Msg) -> None:
            listener(message.subject.partition(".")[2], frozenset(orjson.loads(message.data)))

        return await self.nc.subscribe("view.*", cb=hear)
