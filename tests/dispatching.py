"""A dispatcher process, a carrier simulator and a seeded log: the dispatcher's tests' ground."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from pymongo import AsyncMongoClient

import doors
import servers
from campaign_events.campaign import (
    CampaignApproved,
    CampaignBuilt,
    CampaignCreated,
    CampaignStarted,
    ContactsUploaded,
    SmsSettings,
)
from campaign_events.envelope import Actor, Address, Event, Origin, Recorded, new_id
from campaign_events.eventlog import EventLog
from campaign_events.sender import Revision, RevisionApproved, RevisionSubmitted, SenderCreated
from carrier import Carrier
from forked import Forked
from said import until_said

BY = Actor(id="ada", name="Ada")
QUICK = "[answers]\nlatency_ms = 5\njitter_ms = 2\n[receipts]\nmin_s = 0.01\nmean_s = 0.05\n"
"""How a carrier behaves that keeps nobody waiting."""


def phone(number: int) -> str:
    return f"+4915112{number:06d}"


@dataclass
class Rig:
    """One dispatcher with one simulated carrier, in a folder of its own."""

    folder: Path
    nats_url: str
    mongo_url: str
    workspace: str
    log: EventLog
    http_port: int = field(default_factory=servers.free_port)
    link: str = field(default_factory=lambda: f"l{new_id()[-12:]}")
    window: int = 50
    rate: float = 5000
    link_lines: str = ""
    """Further settings of the link, as links.toml wants them."""

    audiences: list[str] = field(default_factory=list)
    carrier: Carrier = field(init=False)
    issuer: doors.Issuer = field(init=False)

    def __post_init__(self) -> None:
        self.carrier = Carrier(self.folder, "")
        self.issuer = doors.Issuer.make(self.folder)

    @contextmanager
    def carrying(self, config: str = "") -> Iterator[Carrier]:
        self.carrier.config.write_text(config)
        self.carrier.start()
        try:
            yield self.carrier
        finally:
            self.carrier.kill()

    @contextmanager
    def dispatcher(self, **settings: Any) -> Iterator[Forked]:
        log = self.folder / "dispatcher.log"
        with servers.service("dispatcher", log, self.environment(settings)) as process:
            yield process

    def environment(self, settings: Mapping[str, Any]) -> dict[str, str]:
        links = self.folder / "links.toml"
        links.write_text(
            f'[[links]]\nid = "{self.link}"\ntype = "smpp"\nhost = "127.0.0.1"\n'
            f'port = {self.carrier.port}\nsystem_id = "carillon"\npassword = "secret"\n'
            f"window = {self.window}\nsegments_per_second = {self.rate}\n{self.link_lines}"
        )
        secret = self.folder / "secret"
        secret.write_bytes(b"k" * 32)
        return {
            "CARILLON_NATS_URL": self.nats_url,
            "CARILLON_MONGO_URL": self.mongo_url,
            "CARILLON_HTTP_PORT": str(self.http_port),
            "CARILLON_INSTANCE": f"dispatcher-{self.http_port}",
            "CARILLON_ISSUER": doors.ISSUER,
            "CARILLON_AUDIENCE": doors.AUDIENCE,
            "CARILLON_JWKS": str(self.issuer.jwks),
            "CARILLON_SECRET_FILE": str(secret),
            "CARILLON_LINKS": str(links),
            "CARILLON_AUDIT_FALLBACK": str(self.folder / f"audit-{self.http_port}.jsonl"),
            "CARILLON_UNDECIDED_WAIT_S": "5",
            **{f"CARILLON_{name.upper()}": str(value) for name, value in settings.items()},
        }

    async def clear(self) -> None:
        """Remove the audiences, which lie in a database that other tests look at too."""
        async with AsyncMongoClient[dict[str, Any]](self.mongo_url) as mongo:
            wanted = {"audience": {"$in": self.audiences}}
            await mongo["campaign"]["contacts"].delete_many(wanted)

    async def say(self, thing: str, *events: Event) -> None:
        """Append events of other services to the history of a thing."""
        address = Address(self.workspace, thing)
        history = await self.log.load(address)
        origin = Origin(new_id(), datetime.now(UTC), "test")
        await self.log.append(events, address, origin, after=history[-1].seq if history else 0)

    async def sender(self) -> str:
        sender = new_id()
        await self.say(
            sender,
            SenderCreated(name="Shop", by=BY),
            RevisionSubmitted(revision=Revision(number=1, saddr="Shop", ston=5, snpi=0), by=BY),
            RevisionApproved(number=1, by=BY),
        )
        return sender

    async def approve(
        self, count: int, text: str = "Hello {{name}}", first: int = 1, **settings: Any
    ) -> str:
        """Make a campaign with an audience, approved; the dispatcher plans it."""
        campaign, audience = new_id(), new_id()
        if count:
            await self._upload(audience, range(first, first + count))
        chosen = SmsSettings(
            name="c", text=text, sender_id=await self.sender(), link_id=self.link, **settings
        )
        uploaded = ContactsUploaded(
            audience=audience, accepted=count, invalid=0, duplicate=0, suppressed=0, by=BY
        )
        await self.say(
            campaign,
            CampaignCreated(settings=chosen, author=BY),
            *([uploaded] if count else []),
            CampaignApproved(was="new", by=BY),
        )
        return campaign

    async def _upload(self, audience: str, numbers: range) -> None:
        self.audiences.append(audience)
        async with AsyncMongoClient[dict[str, Any]](self.mongo_url) as mongo:
            contacts = [
                {
                    "_id": f"{audience}/{phone(number)}",
                    "audience": audience,
                    "number": index + 1,
                    "phone": phone(number),
                    "variables": {"name": f"N{index}"},
                }
                for index, number in enumerate(numbers)
            ]
            await mongo["campaign"]["contacts"].create_index([("audience", 1), ("number", 1)])
            await mongo["campaign"]["contacts"].insert_many(contacts)

    async def start(self, campaign: str) -> None:
        await self.until(campaign, "message.plan_finished")
        await self.say(
            campaign,
            CampaignBuilt(was="building", queued=0, skipped=0, segments=0),
            CampaignStarted(was="pending"),
        )

    async def facts(self, campaign: str) -> list[Recorded[Any]]:
        return await self.log.load_subject("MESSAGES", f"message.{self.workspace}.{campaign}.>")

    async def until(self, campaign: str, kind: str, within_s: float = 60) -> list[Recorded[Any]]:
        """Wait for a fact about a campaign, and return all of them."""
        return await until_said(lambda: self.facts(campaign), kind, within_s, moves)

    def accepted(self) -> Counter[tuple[str, int]]:
        """How often the carrier accepted each part of a message to each number."""
        counted: Counter[tuple[str, int]] = Counter()
        for entry in self.carrier.lines("accepted"):
            counted[entry["destination"], entry["part"]] += 1
        return counted


def moves(facts: list[Recorded[Any]]) -> Counter[str]:  # noqa: C901 - one case per fact
    """Count where the facts say that a campaign's messages are."""
    counted: Counter[str] = Counter()
    for fact in facts:
        event = fact.event
        match event.type:
            case "message.planned":
                counted["queued"] += event.queued
                counted["skipped"] += len(event.skipped)
            case "message.skipped":
                counted["queued"] -= len(event.skipped)
                counted["skipped"] += len(event.skipped)
            case "message.taken":
                counted["queued"] -= event.count
                counted["submitting"] += event.count
            case "message.deferred":
                counted["submitting"] -= len(event.deferrals)
                counted["queued"] += len(event.deferrals)
            case "message.submitted":
                counted["submitting"] -= len(event.messages)
                counted["submitted"] += len(event.messages)
            case "message.refused":
                counted["submitting"] -= len(event.failures)
                counted["failed"] += len(event.failures)
            case "message.undecided":
                counted["submitting"] -= len(event.numbers)
                counted["failed"] += len(event.numbers)
                counted["unknown"] += len(event.numbers)
            case "message.reported":
                counted["submitted"] -= len(event.delivered) + len(event.failed)
                counted["delivered"] += len(event.delivered)
                counted["failed"] += len(event.failed)
            case "message.recovered":
                counted["failed"] -= len(event.delivered)
                counted["delivered"] += len(event.delivered)
                counted["unknown"] -= len(event.delivered) + len(event.failed)
            case _:
                pass
    return +counted


def http(rig: Rig, *roles: str) -> httpx.AsyncClient:
    """A client of the rig's dispatcher, with a token of the rig's workspace."""
    return httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{rig.http_port}",
        headers=rig.issuer.bearer(rig.workspace, *roles),
    )


@asynccontextmanager
async def answering(rig: Rig, *roles: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a dispatcher that is ready."""
    async with http(rig, *roles) as client, asyncio.timeout(60):
        while True:
            try:
                if (await client.get("/readyz")).status_code == 200:
                    break
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.1)
        yield client
