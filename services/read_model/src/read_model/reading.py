"""What the read model is made of, put together once per process."""

from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, Self

from nats.aio.client import Client

from campaign_events.entries import Heading
from campaign_events.envelope import new_id
from campaign_events.eventlog import EventLog
from campaign_events.projection import Database
from campaign_events.projector import Projector
from campaign_events.shared_projection import SharedProjector
from read_model.audit_waiting import Waiting
from read_model.core import Core
from read_model.diagnostics import Diagnostics
from read_model.dialler import Dialler
from read_model.kept import Kept
from read_model.notices import Notices, things_by_workspace
from read_model.overview import Overview
from read_model.places import Places
from read_model.projections import CALLS, CAMPAIGNS, HISTORY, MESSAGES, Views
from read_model.schemas import Schemas
from read_model.streams import Streams


@dataclass(frozen=True, slots=True)
class Reading:
    """The views, what is asked of them, and the work that keeps them new."""

    views: Views
    overview: Overview
    projectors: Sequence[Projector]
    streams: Streams
    dialler: Dialler

    @classmethod
    def of(cls, nc: Client, db: Database, log: EventLog, owner: str = "") -> Self:
        """Put the parts together; nothing runs yet. `owner` is the name of this process."""
        owner = owner or new_id()
        notices = Notices(nc)
        projectors = [
            SharedProjector(projection, nc, db, committed=notices.committed, owner=owner)
            for projection in (CAMPAIGNS, HISTORY, MESSAGES, CALLS)
        ]
        views = Views(*(projector.view for projector in projectors))
        core = Core(nc)
        diagnostics = Diagnostics(core, Places(nc, log, projectors), db, Waiting(nc), Schemas(nc))
        campaigns, _, messages, calls = projectors
        overview = Overview(
            views,
            core,
            diagnostics,
            counts=Kept([campaigns]),
            of_campaigns=Kept([campaigns]),
            counted=Kept([campaigns, messages, calls]),
            wholes=Kept([campaigns, messages, calls]),
        )

        async def committed(headings: Sequence[Heading]) -> None:
            changes = things_by_workspace(headings)
            await notices.tell(changes)
            overview.read_ahead(changes)

        for projector in (campaigns, messages, calls):
            projector.committed = committed
        return cls(views, overview, projectors, Streams(notices), Dialler(nc))

    def work(self) -> dict[str, Coroutine[Any, Any, None]]:
        """Return what must run for as long as the process does, by name."""
        folding = {
            f"projection {projector.projection.name}": projector.run()
            for projector in self.projectors
        }
        waiting = self.overview.diagnostics.waiting
        return folding | {"streams": self.streams.run(), "audit waiting": waiting.run()}
