"""A process of every service is replaced, one after the other; nobody outside notices.

All of them with `CARILLON_CHAOS` (`make chaos`).
"""

import asyncio
import os
import signal
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import httpx
import pytest

from chaos import CARRIER
from ledgers import differing_views
from stack_campaigns import Crew, body_of, phones
from stacks import SERVICES, Link, Platform, asked, platform, until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

READS = (
    "/overview/kpi",
    "/campaigns?limit=5",
    "/moderation/campaigns",
    "/senders",
    "/links",
    "/suppressions",
    "/settings",
    "/diagnostics",
)
CHAOS = bool(os.environ.get("CARILLON_CHAOS"))
REPLACED = [f"{one}{more}" for one in SERVICES for more in (("", "-2") if CHAOS else ("",))]
MESSAGES = 1_500
ENOUGH = 50
"""Requests that are answered at least since the replacing of a process began."""


@dataclass
class Callers:
    """People who go on reading and writing all the while, each request once."""

    crew: Crew
    sender: str
    answers: Counter[int] = field(default_factory=Counter)
    created: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    async def read(self, path: str) -> None:
        while True:
            await self._ask(self.crew.author, "GET", path)
            await asyncio.sleep(0.05)

    async def write(self) -> None:
        while True:
            headers = {"Idempotency-Key": uuid.uuid4().hex}
            body = body_of(self.sender)
            answer = await self._ask(
                self.crew.author, "POST", "/campaigns", json=body, headers=headers
            )
            if answer is not None and answer.status_code == httpx.codes.CREATED:
                self.created.append(answer.json()["id"])
            await asyncio.sleep(0.05)

    async def _ask(
        self, client: httpx.AsyncClient, method: str, path: str, **what: object
    ) -> httpx.Response | None:
        try:
            answer = await client.request(method, path, **what)  # type: ignore[arg-type]
        except httpx.TransportError as error:
            self.failed.append(f"{method} {path}: {error!r}")
            return None
        self.answers[answer.status_code] += 1
        if not answer.is_success:
            self.failed.append(f"{method} {path}: {answer.status_code} {answer.text}")
        return answer

    async def answered(self, more: int) -> None:
        """Wait until so many more requests are answered."""
        enough = self.answers.total() + more
        await until(lambda: self.answers.total() >= enough, f"{more} more answers")


@pytest.fixture
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    folder = tmp_path_factory.mktemp("rolling")
    links = [Link("sim", window=50, segments_per_second=150)]
    options = ["--processes", "2"]
    with platform(folder, carrier=CARRIER, links=links, options=options) as started:
        yield started


async def test_processes_are_replaced_without_a_lost_request(up: Platform, crew: Crew) -> None:
    numbers = phones(MESSAGES)
    campaign = await crew.launched(numbers)
    callers = Callers(crew, await crew.sender())
    asking = [asyncio.create_task(callers.read(path)) for path in READS]
    asking += [asyncio.create_task(callers.write()) for _ in range(2)]

    for name in REPLACED:
        await asyncio.gather(replaced(up, name), callers.answered(ENOUGH))

    for task in asking:
        task.cancel()
    await asyncio.gather(*asking, return_exceptions=True)
    assert callers.failed == []
    assert len(callers.created) > 10

    row = await crew.until_status(campaign, "done")
    assert row["stats"]["delivered"] + row["stats"]["failed"] == MESSAGES
    assert max(Counter(one["destination"] for one in up.accepted(numbers)).values()) == 1
    for created in callers.created:
        assert (await crew.seen(f"/campaigns/{created}"))["status"] == "new"
    assert await differing_views(up) == []


async def replaced(up: Platform, name: str) -> None:
    """End a process as an upgrade does; return when its successor takes requests."""
    pid = await up.signal(name, signal.SIGTERM)
    await until(lambda: up.file().services[name].pid not in (pid, None), f"another {name}")
    async with httpx.AsyncClient() as client:
        await asked(client, "GET", f"{up.file().services[name].url}/readyz")
