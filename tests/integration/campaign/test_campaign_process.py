import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from pymongo import AsyncMongoClient

import servers
from campaign_events.envelope import Address, Origin, new_id
from campaign_events.eventlog import EventLog
from campaign_events.projection import Database
from campaign_events.sender import SenderCreated
from campaign_team import CAMPAIGNS, MODERATOR, eventually
from doors import AUDIENCE, ISSUER, Issuer


@dataclass(frozen=True, slots=True)
class Served:
    process: subprocess.Popen[bytes]
    port: int
    issuer: Issuer


@pytest.fixture
def served(nats_url: str, mongo_url: str, tmp_path: Path) -> Iterator[Served]:
    issuer, port = Issuer.make(tmp_path), servers.free_port()
    told = {
        "NATS_URL": nats_url,
        "MONGO_URL": mongo_url,
        "HTTP_PORT": str(port),
        "ISSUER": ISSUER,
        "AUDIENCE": AUDIENCE,
        "JWKS": str(issuer.jwks),
        "SECRET_FILE": str(issuer.jwks),
        "AUDIT_FALLBACK": str(tmp_path / "audit.jsonl"),
    }
    environment = os.environ | {f"CARILLON_{name}": value for name, value in told.items()}
    with (tmp_path / "campaign.log").open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "campaign"], env=environment, stdout=output, stderr=output
        )
        try:
            yield Served(process, port, issuer)
        finally:
            process.kill()
            process.wait()


@pytest.fixture
async def contacts(mongo_url: str) -> AsyncIterator[Database]:
    async with AsyncMongoClient[dict[str, object]](mongo_url, tz_aware=True) as client:
        yield client["campaign"]
        await client.drop_database("campaign")


async def is_ready(person: httpx.AsyncClient) -> bool:
    try:
        return (await person.get("/readyz")).status_code == 200
    except httpx.TransportError:
        return False


async def test_a_client_that_goes_away_and_a_polite_end_leave_nothing_behind(
    served: Served, contacts: Database, log: EventLog, workspace: str
) -> None:
    sender, origin = new_id(), Origin(new_id(), datetime.now(UTC), "test")
    created = SenderCreated(name="Shop", by=MODERATOR)
    await log.append([created], Address(workspace, sender), origin, after=0)
    headers = served.issuer.bearer(workspace, "author")
    address = ("127.0.0.1", served.port)
    async with httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{served.port}", headers=headers
    ) as person:
        await eventually(lambda: is_ready(person))
        wish = {"channel": "sms", "name": "n", "text": "t", "sender_id": sender, "link_id": "l"}
        campaign = (await person.post(CAMPAIGNS, json=wish)).json()["id"]
        head = (
            f"PUT {CAMPAIGNS}/{campaign}/contacts HTTP/1.1\r\n"
            "Host: x\r\nContent-Type: text/plain\r\n"
            f"Authorization: {headers['Authorization']}\r\nContent-Length: 100000000\r\n\r\n"
        )
        numbers = "".join(f"+4479111{number:05d}\n" for number in range(40000))

        for goes_away in (True, False):
            with socket.create_connection(address) as upload:
                upload.sendall((head + numbers).encode())

                async def is_storing() -> bool:
                    return await contacts.contacts.count_documents({}) > 0

                await eventually(is_storing)
                if not goes_away:
                    served.process.send_signal(signal.SIGTERM)
                    assert served.process.wait(10) == 0
                    return

            async def swept() -> bool:
                left = await contacts.contacts.count_documents({})
                return left + await contacts.audiences.count_documents({}) == 0

            await eventually(swept)
