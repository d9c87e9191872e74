"""A dialler process, a simulated phone network and a seeded log: the dialler's tests' ground."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from pymongo import AsyncMongoClient

import doors
import servers
from campaign_events.call import CallState
from campaign_events.campaign import ContactsUploaded
from campaign_events.envelope import Actor, Address, Event, Origin, Recorded, new_id
from campaign_events.eventlog import EventLog
from campaign_events.voice import DiallingStarted, VoiceCampaignCreated, VoiceSettings
from forked import Forked
from phones_process import Phones
from said import Facts, until_said

BY = Actor(id="ada", name="Ada")
ALL_DAY = {"start": "00:00", "end": "00:00", "timezone": "UTC"}
FAST: dict[str, Any] = {
    "caller_ids": ("+4930111", "+4930222"),
    "cps_limit": 500,
    "time_window": ALL_DAY,
    "redial_rules": {"max_attempts": 2, "retry_delay_minutes": 0},
}
"""Settings of campaigns that are over in seconds."""


def phone(number: int) -> str:
    return f"+4915112{number:06d}"


@dataclass
class Rig:
    """Diallers with one simulated phone network, in a folder of their own."""

    folder: Path
    nats_url: str
    mongo_url: str
    workspace: str
    log: EventLog
    phones: Phones
    http_port: int = field(default_factory=servers.free_port)
    audiences: list[str] = field(default_factory=list)
    variables: Callable[[int], dict[str, str]] = lambda _: {}
    """Further variables of a contact, by its number."""
    issuer: doors.Issuer = field(init=False)

    def __post_init__(self) -> None:
        self.issuer = doors.Issuer.make(self.folder)

    @contextmanager
    def dialler(self, http_port: int | None = None) -> Iterator[Forked]:
        environment = self.environment(http_port or self.http_port)
        with servers.service("dialler", self.folder / "dialler.log", environment) as process:
            yield process

    def environment(self, http_port: int) -> dict[str, str]:
        telephony = self.folder / "reached.toml"
        telephony.write_text(
            f'[[telephony]]\nid = "sim"\ntype = "simulator"\nport = {self.phones.port}\n'
        )
        secret = self.folder / "secret"
        secret.write_bytes(b"k" * 32)
        return {
            "CARILLON_NATS_URL": self.nats_url,
            "CARILLON_MONGO_URL": self.mongo_url,
            "CARILLON_HTTP_PORT": str(http_port),
            "CARILLON_INSTANCE": f"dialler-{http_port}",
            "CARILLON_ISSUER": doors.ISSUER,
            "CARILLON_AUDIENCE": doors.AUDIENCE,
            "CARILLON_JWKS": str(self.issuer.jwks),
            "CARILLON_SECRET_FILE": str(secret),
            "CARILLON_TELEPHONY": str(telephony),
            "CARILLON_AUDIT_FALLBACK": str(self.folder / f"audit-{http_port}.jsonl"),
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

    async def draft(self, count: int, suppressed: Sequence[int] = (), **settings: Any) -> str:
        """Make a campaign with an audience; some of its numbers are on the opt-out list."""
        campaign, audience = new_id(), new_id()
        if count:
            await self.upload(audience, range(1, count + 1), suppressed)
        chosen = VoiceSettings.model_validate(
            {"name": "c", "destination": "sim:agents", **FAST, **settings}
        )
        uploaded = ContactsUploaded(
            audience=audience,
            accepted=count - len(suppressed),
            invalid=0,
            duplicate=0,
            suppressed=len(suppressed),
            by=BY,
        )
        created = VoiceCampaignCreated(settings=chosen, author=BY)
        await self.say(campaign, created, *([uploaded] if count else []))
        return campaign

    async def start(self, count: int, suppressed: Sequence[int] = (), **settings: Any) -> str:
        """Make a campaign with an audience, and have it dialled."""
        campaign = await self.draft(count, suppressed, **settings)
        await self.say(campaign, DiallingStarted(was="draft", run=1, by=BY))
        return campaign

    async def upload(self, audience: str, numbers: range, suppressed: Sequence[int] = ()) -> None:
        self.audiences.append(audience)
        base = 10_000 * len(self.audiences)
        async with AsyncMongoClient[dict[str, Any]](self.mongo_url) as mongo:
            contacts = [
                {
                    "_id": f"{audience}/{phone(base + number)}",
                    "audience": audience,
                    "number": number,
                    "phone": phone(base + number),
                    "variables": {"name": f"N{number}", **self.variables(number)},
                    "suppressed": number in suppressed,
                }
                for number in numbers
            ]
            collection = mongo["campaign"]["contacts"]
            await collection.create_index([("audience", 1), ("number", 1)])
            if contacts:
                await collection.insert_many(contacts)

    async def facts(self, campaign: str) -> list[Recorded[Any]]:
        return await self.log.load_subject("CALLS", f"call.{self.workspace}.{campaign}.>")

    async def until(self, campaign: str, kind: str, within_s: float = 60) -> list[Recorded[Any]]:
        """Wait for a fact about a campaign, and return all of them."""

        def instead(facts: Facts) -> str:
            told = (self.folder / "dialler.log").read_text()[-3000:]
            return f"{Counter(states(facts).values())}\n{told}"

        return await until_said(lambda: self.facts(campaign), kind, within_s, instead)


def states(facts: Sequence[Recorded[Any]]) -> dict[int, CallState]:
    """Say where each contact is by the facts; a move from where it is not is a mistake."""
    found: dict[int, CallState] = {}
    live: dict[int, int] = {}
    for fact in facts:
        event = fact.event
        match event.type:
            case "call.dialled":
                for dial in event.dials:
                    waited = {"first": None, "retry": "retry_scheduled"}
                    was = waited.get(dial.kind, "callback_scheduled")
                    assert found.get(dial.number) == was, f"{dial} while {found.get(dial.number)}"
                    assert dial.number not in live
                    live[dial.number] = dial.sequence
                    found[dial.number] = "dialling"
            case "call.ended":
                for end in event.ends:
                    assert live.pop(end.number, None) == end.sequence, f"{end} does not live"
                    found[end.number] = end.becomes
            case "call.closed":
                for first, last in event.pending:
                    for number in range(first, last + 1):
                        assert number not in found, f"{number} is {found[number]}, not pending"
                        found[number] = event.becomes
                for number in (*event.retries, *event.callbacks):
                    assert found[number] in ("retry_scheduled", "callback_scheduled")
                    found[number] = event.becomes
            case _:
                pass
    return found


@asynccontextmanager
async def answering(rig: Rig, *roles: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a dialler that is ready, with a token of the rig's workspace."""
    async with (
        httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{rig.http_port}",
            headers=rig.issuer.bearer(rig.workspace, *roles),
        ) as client,
        asyncio.timeout(30),
    ):
        while True:
            try:
                if (await client.get("/readyz")).status_code == 200:
                    break
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.1)
        yield client
