"""Server-sent events from the read model as a process: first, live, few enough, and a clean end."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg

import servers
from campaign_events.call import CallsDialled, Dial, RunOpened
from campaign_events.campaign import (
    CampaignApproved,
    CampaignBuilt,
    CampaignCreated,
    CampaignStarted,
    SmsSettings,
)
from campaign_events.envelope import Actor, Address, Event, Origin, Position, new_id
from campaign_events.eventlog import EventLog, Fact
from campaign_events.message import MessagesReported, MessagesSubmitted, Submission
from campaign_events.voice import DiallingStarted, VoiceCampaignCreated, VoiceSettings
from doors import AUDIENCE, ISSUER, Issuer
from forked import Forked

ANN = Actor(id="ann", name="Ann")


@dataclass
class Frames:
    """The frames of one open stream, as they come."""

    lines: AsyncIterator[str]
    times: list[float] = field(default_factory=list)

    async def next(self) -> tuple[str, Position, Any]:
        """Event name, position and data of the next event."""
        fields: dict[str, str] = {}
        async for line in self.lines:
            name, _, value = line.partition(": ")
            if name:
                fields[name] = value
            elif "data" in fields:
                self.times.append(time.monotonic())
                position = Position.parse(fields["id"])
                return fields["event"], position, orjson.loads(fields["data"])
            else:
                fields = {}
        raise EOFError

    async def until(self, wanted: Any) -> Any:
        """The first data that is as wanted."""
        while True:
            _, _, data = await self.next()
            if wanted(data):
                return data


@dataclass(frozen=True)
class Running:
    """A process of the read model."""

    folder: Path
    url: str
    issuer: Issuer
    process: Forked

    def client(self, workspace: str) -> httpx.AsyncClient:
        headers = self.issuer.bearer(workspace, "author")
        return httpx.AsyncClient(base_url=self.url, headers=headers, timeout=20)

    def until_ready(self) -> None:
        give_up = time.monotonic() + 25
        while not self._is_ready():
            assert self.process.poll() is None, "it has ended"
            assert time.monotonic() < give_up, "it is not ready"
            time.sleep(0.05)

    def _is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/readyz").is_success
        except httpx.TransportError:
            return False


@dataclass
class Service:
    """A workspace of a read model, and a way to speak to it and to the log."""

    client: httpx.AsyncClient
    log: EventLog
    workspace: str
    known: Position = field(default_factory=lambda: Position.of("CAMPAIGNS", 0))

    async def say(self, thing: str, *events: Event) -> None:
        for event in events:
            origin = Origin(new_id(), datetime.now(UTC), "test")
            fact = Fact(event, Address(self.workspace, thing), new_id())
            seq = await self.log.append_fact(fact, origin)
            if event.type.startswith("campaign."):
                self.known = Position.of("CAMPAIGNS", seq)

    async def started_campaign(self) -> str:
        campaign = new_id()
        settings = SmsSettings(name="Spring", text="Hi", sender_id="s", link_id="sim")
        await self.say(
            campaign,
            CampaignCreated(settings=settings, author=ANN),
            CampaignApproved(was="new", by=ANN),
            CampaignBuilt(was="building", queued=100, skipped=0, segments=100),
            CampaignStarted(was="pending"),
        )
        return campaign

    @asynccontextmanager
    async def stream(self, path: str) -> AsyncIterator[Frames]:
        headers = {"Min-Event-Position": str(self.known)}
        async with self.client.stream("GET", f"/api/v1{path}", headers=headers) as answer:
            assert answer.status_code == 200, await answer.aread()
            assert answer.headers["content-type"].startswith("text/event-stream")
            yield Frames(answer.aiter_lines())


@contextmanager
def read_model(folder: Path, nats_url: str, mongo_url: str) -> Iterator[Running]:
    """A read model of its own process, ready; it may be ended before the block is."""
    issuer, port = Issuer.make(folder), servers.free_port()
    settings = {
        "NATS_URL": nats_url,
        "MONGO_URL": mongo_url,
        "HTTP_PORT": str(port),
        "INSTANCE": f"streams-{port}",
        "ISSUER": ISSUER,
        "AUDIENCE": AUDIENCE,
        "JWKS": str(issuer.jwks),
        "SECRET_FILE": str(issuer.jwks),
        "AUDIT_FALLBACK": str(folder / "audit.jsonl"),
    }
    environment = {f"CARILLON_{name}": value for name, value in settings.items()}
    with servers.service("read_model", folder / "read_model.log", environment) as process:
        running = Running(folder, f"http://127.0.0.1:{port}", issuer, process)
        running.until_ready()
        yield running


@pytest.fixture(scope="module")
def shared(
    nats_url: str, mongo_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Running]:
    """One process for all tests: each has a workspace of its own."""
    with read_model(tmp_path_factory.mktemp("streams"), nats_url, mongo_url) as running:
        yield running


@pytest.fixture
def ending(nats_url: str, mongo_url: str, tmp_path: Path) -> Iterator[Running]:
    """A process beside it, for a test that ends it."""
    with read_model(tmp_path, nats_url, mongo_url) as running:
        yield running


@pytest.fixture
async def service(shared: Running, log: EventLog, workspace: str) -> AsyncIterator[Service]:
    async with shared.client(workspace) as client:
        yield Service(client, log, workspace)


def delivered(*numbers: int) -> MessagesReported:
    return MessagesReported(link="sim", delivered=numbers)


def submitted(*numbers: int) -> MessagesSubmitted:
    messages = tuple(Submission(number=number, carrier_ids=("x",)) for number in numbers)
    return MessagesSubmitted(link="sim", messages=messages)


async def test_a_page_gets_the_overview_at_once_and_every_change_soon(service: Service) -> None:
    campaign = await service.started_campaign()
    async with service.stream("/overview/stream") as frames:
        name, _, data = await frames.next()
        assert name == "overview"
        whole = (await service.client.get("/api/v1/overview")).json()
        assert data.keys() == whole.keys()
        assert data["kpi"]["active"] == 1

        waits = []
        for number in range(1, 6):
            await service.say(campaign, submitted(number), delivered(number))
            said = time.monotonic()
            await frames.until(lambda data, number=number: data["delivery"]["delivered"] == number)
            waits.append(time.monotonic() - said)
        assert max(waits) < 1


async def test_a_stream_tells_no_more_than_twice_a_second(service: Service) -> None:
    campaign = await service.started_campaign()
    async with (
        service.stream("/overview/stream") as first,
        service.stream("/overview/stream") as second,
    ):
        both = [first, second]
        await asyncio.gather(
            *(frames.until(lambda data: data["kpi"]["active"] == 1) for frames in both)
        )

        async def speak() -> None:
            for number in range(1, 60):
                await service.say(campaign, submitted(number), delivered(number))
                await asyncio.sleep(0.04)

        speaking = asyncio.create_task(speak())
        await asyncio.gather(
            *(frames.until(lambda data: data["delivery"]["delivered"] == 59) for frames in both)
        )
        await speaking
        for frames in both:
            gaps = [
                later - earlier
                for earlier, later in zip(frames.times, frames.times[1:], strict=False)
            ]
            assert min(gaps) > 0.4


async def test_a_page_hears_of_a_link_that_goes_down_while_nothing_else_moves(
    service: Service, nc: Client
) -> None:
    state = "up"

    async def answer(message: Msg) -> None:
        links = [{"id": "sim", "state": state}]
        await message.respond(orjson.dumps({"status": "ok", "links": links}))

    await nc.subscribe("core.health", cb=answer)
    async with service.stream("/overview/stream") as frames:

        def is_seen(data: Any) -> bool:
            return bool(data["diagnostics"]["links"] == [{"id": "sim", "state": state}])

        async with asyncio.timeout(20):
            await frames.until(is_seen)
            state = "down"
            await frames.until(is_seen)


async def test_one_campaign_is_watched_by_its_own_stream(service: Service) -> None:
    campaign = await service.started_campaign()
    async with service.stream(f"/campaigns/{campaign}/stream") as frames:
        name, _, data = await frames.next()
        assert name == "campaign"
        assert data["id"] == campaign
        assert data["actions"] == ["clone", "pause", "stop"]
        await service.say(campaign, submitted(1, 2))
        await frames.until(lambda data: data["stats"]["submitted"] == 2)


async def test_open_streams_do_not_hold_up_the_end(
    ending: Running, log: EventLog, workspace: str
) -> None:
    async with ending.client(workspace) as client:
        service = Service(client, log, workspace)
        await service.started_campaign()
        async with service.stream("/overview/stream") as frames:
            await frames.next()
            asked = time.monotonic()
            ending.process.send_signal(signal.SIGTERM)
            with pytest.raises((EOFError, httpx.RemoteProtocolError)):
                await frames.until(lambda _: False)
            assert await asyncio.to_thread(ending.process.wait, 10) == 0
            assert time.monotonic() - asked < 2.5


async def test_the_stream_of_a_voice_campaign_shows_its_calls(service: Service) -> None:
    campaign = new_id()
    settings = VoiceSettings(name="Calls", destination="sim:agents")
    await service.say(
        campaign,
        VoiceCampaignCreated(settings=settings, author=ANN),
        DiallingStarted(was="draft", run=1, by=ANN),
    )
    await service.say(campaign, RunOpened(run=1, audience="a", total=3))
    async with service.stream(f"/campaigns/{campaign}/stream") as frames, asyncio.timeout(60):
        await frames.until(lambda data: data["stats"]["pending"] == 3)
        dial = Dial(number=1, sequence=1, kind="first", call_id="c1", caller_id="+4420")
        await service.say(campaign, CallsDialled(run=1, epoch=1, dials=(dial,)))
        shown = await frames.until(lambda data: data["stats"]["live"] == 1)
    assert shown["progress"]["worth_polling"] is True
