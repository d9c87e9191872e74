"""People of a workspace in front of a campaign service, for several files of tests."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import orjson
from nats.aio.client import Client
from nats.aio.msg import Msg

import servers
from campaign.__main__ import compose
from campaign_events.envelope import Actor, Address, Event, Origin, new_id
from campaign_events.eventlog import EventLog, Fact
from campaign_events.projection import Database
from campaign_events.sender import SenderCreated
from doors import Issuer, resources

CAMPAIGNS = "/api/v1/campaigns"
CSV = {"Content-Type": "text/csv; charset=utf-8"}
MODERATOR = Actor(id="m1", name="Mo")
SECRET = b"key"
UPLOAD_LIMIT = 1_000_000


def phone(number: int) -> str:
    return f"+4479111{number:05d}"


def file_of(*numbers: int) -> bytes:
    """A file of contacts with these phones, all of one time zone."""
    rows = "".join(f"{phone(number)},Europe/London\n" for number in numbers)
    return f"phone,timezone\n{rows}".encode()


async def eventually(holds: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(60):
        while not await holds():
            await asyncio.sleep(0.02)


@dataclass(slots=True)
class Team:
    """People of one workspace who talk to a campaign service."""

    app: Any
    issuer: Issuer
    workspace: str
    log: EventLog
    sender: str
    work: dict[str, Coroutine[Any, Any, None]]

    def speak(
        self, *roles: str, workspace: str | None = None, sub: str = "ann"
    ) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app, raise_app_exceptions=False),
            base_url="http://campaign",
            headers=self.issuer.bearer(workspace or self.workspace, *roles, sub=sub),
        )

    def wish(self, **changes: object) -> dict[str, object]:
        return {
            "channel": "sms",
            "name": "Spring",
            "text": "Hello {{name}}",
            "sender_id": self.sender,
            "link_id": "sim",
            "mode": "on_demand",
        } | changes

    def voice_wish(self, **changes: object) -> dict[str, object]:
        return {
            "channel": "voice",
            "name": "Calls",
            "destination": "sim:agents",
            "caller_ids": ["+442079460000"],
        } | changes

    async def say(self, event: Event, campaign: str) -> None:
        """Another service appends a fact about a campaign."""
        fact = Fact(event, Address(self.workspace, campaign), new_id())
        await self.log.append_fact(fact, Origin(fact.id, datetime.now(UTC), "test"))

    async def facts(self, campaign: str) -> list[Any]:
        return [r.event for r in await self.log.load(Address(self.workspace, campaign))]

    async def until(self, campaign: str, kind: type[Event]) -> Any:
        """Wait for a fact of this kind."""
        found: list[Any] = []

        async def there() -> bool:
            found.extend(fact for fact in await self.facts(campaign) if isinstance(fact, kind))
            return bool(found)

        await eventually(there)
        return found[-1]

    async def made(self, **changes: object) -> str:
        """The id of a new campaign."""
        return await self._created(self.wish(**changes))

    async def made_voice(self, **changes: object) -> str:
        """The id of a new voice campaign."""
        return await self._created(self.voice_wish(**changes))

    async def _created(self, wish: dict[str, object]) -> str:
        async with self.speak("author") as author:
            answer = await author.post(CAMPAIGNS, json=wish)
            assert answer.status_code == 201, answer.text
            return str(answer.json()["id"])

    async def ready_voice(self, **changes: object) -> str:
        """The id of a new voice campaign with three contacts."""
        campaign = await self.made_voice(**changes)
        answer = await self.put(campaign, file_of(1, 2, 3))
        assert answer.status_code == 200, answer.text
        return campaign

    async def put(
        self, campaign: str, content: Any, headers: dict[str, str] | None = None
    ) -> httpx.Response:
        """An author uploads contacts."""
        async with self.speak("author") as author:
            url = f"{CAMPAIGNS}/{campaign}/contacts"
            return await author.put(url, content=content, headers=headers or CSV)

    async def post(
        self, campaign: str, action: str, body: object = None, **extra: Any
    ) -> httpx.Response:
        """An author asks for something to be done."""
        async with self.speak("author") as author:
            return await author.post(f"{CAMPAIGNS}/{campaign}/{action}", json=body, **extra)

    async def done(self, campaign: str, *actions: str) -> Any:
        """The last answer of actions that all succeed."""
        for action in actions:
            answer = await self.post(campaign, action)
            assert answer.status_code == 200, answer.text
        return answer.json()


@asynccontextmanager
async def team_in(
    workspace: str, nc: Client, db: Database, nats_url: str, folder: Path
) -> AsyncIterator[Team]:
    """A team with a sender, and the service's app; its work is not begun."""
    issuer, log = Issuer.make(folder), EventLog(nc)
    owned = resources("campaign", issuer, nc, db, urls=(nats_url, ""))
    app, work = await compose(owned, SECRET, UPLOAD_LIMIT, upload_share=1)
    sender = new_id()
    origin = Origin(new_id(), datetime.now(UTC), "test")
    created = SenderCreated(name="Shop", by=MODERATOR)
    await log.append([created], Address(workspace, sender), origin, after=0)
    yield Team(app, issuer, workspace, log, sender, work)
    for coroutine in work.values():
        coroutine.close()


@asynccontextmanager
async def core_in(nc: Client, window_used: int = 0) -> AsyncIterator[None]:
    """A dispatcher that says it is well, and how much its carrier has yet to answer."""

    async def answer(message: Msg) -> None:
        link = {"id": "sim", "name": "Sim", "segments_per_second": 100, "state": "up"}
        links = [{**link, "window": 50, "window_used": window_used}]
        await message.respond(orjson.dumps({"status": "ok", "links": links}))

    subscription = await nc.subscribe("core.health", cb=answer)
    await servers.flushed(nc)
    yield
    await subscription.unsubscribe()
    await servers.flushed(nc)


@asynccontextmanager
async def dialler_in(nc: Client) -> AsyncIterator[None]:
    """A dialler that says it is well."""

    async def answer(message: Msg) -> None:
        telephony = [{"id": "sim", "state": "up"}]
        await message.respond(orjson.dumps({"status": "ok", "telephony": telephony}))

    subscription = await nc.subscribe("core.health.voice", cb=answer)
    await servers.flushed(nc)
    yield
    await subscription.unsubscribe()
    await servers.flushed(nc)


def problem(answer: httpx.Response, status: int, code: str) -> str:
    """The detail of an answer that must be this problem."""
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    body = answer.json()
    assert body["code"] == code
    return str(body["detail"])
