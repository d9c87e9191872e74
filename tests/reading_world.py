"""One workspace in front of the read model: what is said about it, and what is read."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx
from nats.aio.client import Client

from campaign_events.catalogue import stream_of
from campaign_events.envelope import Address, Event, Origin, Position, new_id
from campaign_events.eventlog import EventLog, Fact
from campaign_events.projection import Database
from doors import Issuer, at_work, resources
from read_model.__main__ import door
from read_model.reading import Reading


@dataclass
class World:
    """One workspace, what is said about it, and the door that answers about it."""

    workspace: str
    log: EventLog
    client: httpx.AsyncClient
    reading: Reading
    nc: Client
    said: dict[str, int] = field(default_factory=dict)

    async def say(self, thing: str, *events: Event, at: datetime | None = None) -> str:
        """Append facts about one thing; returns the position of the last."""
        stream = stream_of(events[0])
        seq = 0
        for event in events:
            origin = Origin(new_id(), at or datetime.now(UTC), "test")
            address = Address(self.workspace, thing)
            seq = await self.log.append_fact(Fact(event, address, new_id()), origin)
        self.said[stream] = seq
        return self.position

    @property
    def position(self) -> str:
        """Where the last word of each stream is."""
        return str(Position(tuple(sorted(self.said.items()))))

    async def get(self, path: str, **parameters: Any) -> Any:
        """Read, after everything that was said."""
        answer = await self.client.get(
            f"/api/v1{path}",
            params=parameters,
            headers={"Min-Event-Position": self.position} if self.said else {},
        )
        assert answer.status_code == 200, answer.text
        Position.parse(answer.headers["Event-Position"])
        return answer.json()

    async def status_of(self, path: str, **parameters: Any) -> tuple[int, str]:
        answer = await self.client.get(f"/api/v1{path}", params=parameters)
        assert answer.headers["content-type"] == "application/problem+json"
        return answer.status_code, answer.json()["code"]


@asynccontextmanager
async def world_in(
    nc: Client, log: EventLog, db: Database, workspace: str, issuer: Issuer
) -> AsyncIterator[World]:
    """A read model at work whose views hold all that was said before, and an author to ask it."""
    reading = Reading.of(nc, db, log)
    app = door(resources("read_model", issuer, nc, db), reading)
    transport = httpx.ASGITransport(app)
    headers = issuer.bearer(workspace, "author")
    async with (
        at_work(reading.work()),
        httpx.AsyncClient(transport=transport, base_url="http://test", headers=headers) as client,
    ):
        for projector in reading.projectors:
            assert await projector.reached(await log.last_seq(projector.projection.stream), 10)
        yield World(workspace, log, client, reading, nc)
