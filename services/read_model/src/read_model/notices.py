"""Word that a view has changed, from the projector to every process that has pages open.

Core NATS, `view.<workspace>`: a notice may get lost, the view itself never does.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

import nats.errors
import orjson
import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

from campaign_events.entries import Heading

log = structlog.get_logger(__name__)

type Listener = Callable[[str, frozenset[str]], None]
"""Is told the workspace, and the ids of the things that have changed in it."""


def things_by_workspace(headings: Sequence[Heading]) -> Mapping[str, AbstractSet[str]]:
    """Return what these are about."""
    things: defaultdict[str, set[str]] = defaultdict(set)
    for workspace, thing in (heading.address for heading in headings):
        things[workspace].add(thing)
    return things


@dataclass(frozen=True, slots=True)
class Notices:
    """Says and hears what has changed."""

    nc: Client

    async def committed(self, headings: Sequence[Heading]) -> None:
        """Tell what a committed batch was about."""
        await self.tell(things_by_workspace(headings))

    async def tell(self, changes: Mapping[str, AbstractSet[str]]) -> None:
        """Tell which things have changed: one notice per workspace."""
        try:
            for workspace, things in changes.items():
                await self.nc.publish(f"view.{workspace}", orjson.dumps(sorted(things)))
        except nats.errors.Error as error:
            log.warning("notice lost", why=repr(error))

    async def heard_by(self, listener: Listener) -> Subscription:
        """Pass every notice on; one subscription for the whole process."""

        async def hear(message: Msg) -> None:
            listener(message.subject.partition(".")[2], frozenset(orjson.loads(message.data)))

        return await self.nc.subscribe("view.*", cb=hear)
