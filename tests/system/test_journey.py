"""From a file of numbers to delivered messages and the pages that show them, over HTTP alone."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from ledgers import (
    CarrierLedger,
    agreement,
    differing_rows,
    log_ledger,
    message_rows,
    receipts_paid,
)
from stack_campaigns import Crew, body_of, csv_of
from stacks import Platform, ask, until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

type Numbers = Callable[[int], list[str]]
TAKES_EFFECT_S = 1.0
LONG = "Maximiliane " * 14
NOTHING_ACTIVE = {"delivered": 0, "in_flight": 0, "errors": 0, "state": "ready"}


class Spreadsheet:
    """A file as a spreadsheet on another desk saves it; knows what an upload should say of it."""

    def __init__(self, numbers: list[str]) -> None:
        self.lines = ["Note;Phone;Name"]
        self.bad: list[int] = []
        self.duplicates = self.long = 0
        for index, number in enumerate(numbers):
            name = LONG if index % 25 == 0 else f"Zoë {index}"
            self.long += name == LONG
            self._add(f'"Row {index};\r\nsaid ""yes""";{number};{name}')
            if index % 10 == 0:
                self._add(f"again;'{number[:5]} {number[5:]};Zoë")
                self.duplicates += 1
            if index % 20 == 0:
                self.bad.append(self._line + 1)
                self._add("rubbish;none of your business;Zoë")
            if index % 30 == 0:
                self._add("")

    @property
    def _line(self) -> int:
        return sum(line.count("\n") + 1 for line in self.lines)

    def _add(self, line: str) -> None:
        self.lines.append(line)

    @property
    def content(self) -> bytes:
        return ("\r\n".join(self.lines) + "\r\n").encode("utf-8-sig")


async def suppressed(up: Platform, workspace: str, phones: list[str]) -> None:
    async with up.client(workspace, "admin", sub="root") as admin:
        for phone in phones:
            await ask(admin, "POST", "/suppressions", json={"phone": phone})


async def uploaded(crew: Crew, campaign: str, file: Spreadsheet, opted_out: int) -> dict[str, Any]:
    """Upload until the opt-outs of a moment ago have been noticed; the last file counts."""
    async with asyncio.timeout(30):
        while True:
            report = await crew.uploaded(campaign, file.content)
            if report["suppressed"] == opted_out:
                return report


async def test_a_campaign_goes_from_a_file_to_numbers_that_agree_everywhere(
    up: Platform, crew: Crew, numbers: Numbers
) -> None:
    phones = numbers(400)
    file = Spreadsheet(phones)
    sender = await crew.sender()
    made = await crew.campaign(sender, text="Hello {{Name}}, we are open.")
    campaign = made["id"]
    assert (made["status"], made["stats"]["total"]) == ("new", 0)
    await suppressed(up, crew.workspace, phones[5:8])
    report = await uploaded(crew, campaign, file, opted_out=3)
    assert {name: report[name] for name in ("accepted", "invalid", "duplicate")} == {
        "accepted": 397,
        "invalid": len(file.bad),
        "duplicate": file.duplicates,
    }
    assert [row["line"] for row in report["bad_rows"]] == file.bad[:20]

    waiting = (await crew.seen("/moderation/campaigns", crew.moderator))["items"]
    assert [(row["id"], row["recipients"]) for row in waiting] == [(campaign, 397)]
    assert (await crew.seen("/overview/funnel"))["pending_moderation"] == 1
    assert (await crew.seen("/campaigns"))["items"] == []
    await crew.approve(campaign)
    row = await crew.until_status(campaign, "done")

    await receipts_paid(up)
    story = await log_ledger(up, crew.workspace, campaign)
    carrier = CarrierLedger.of(up, phones)
    assert agreement(story, carrier, phones) == []
    rows = await message_rows(crew.author, campaign)
    assert differing_rows(story, rows, phones) == []
    assert [number for number, one in rows.items() if one["reason"] == "suppressed"] == [6, 7, 8]
    assert row["stats"] == story.stats
    assert row["stats"]["skipped"] == 3
    assert row["stats"]["failed"] > 0
    assert row["stats"]["segments"] == 397 + file.long
    await check_pages(crew, row)


async def check_pages(crew: Crew, row: dict[str, Any]) -> None:
    """Every part of the overview knows this one campaign, and together they say the same."""
    stats = row["stats"]
    parts: dict[str, Any] = {
        name: await crew.seen(f"/overview/{name}")
        for name in ("kpi", "funnel", "recent", "activity", "top-authors", "delivery", "pulse")
    }
    assert parts["kpi"] == {"total": 1, "active": 0, "completed": 1, "failed": 0}
    funnel = parts["funnel"]
    assert funnel.pop("voice") == dict.fromkeys(funnel_of_voice(), 0)
    assert {name: count for name, count in funnel.items() if count} == {"done": 1}
    assert parts["delivery"] == NOTHING_ACTIVE
    assert (parts["pulse"]["in_flight"], parts["pulse"]["core"]) == (0, "ok")
    hours = parts["activity"]["items"]
    assert len(hours) == 24
    assert sum(hour["failed"] for hour in hours) == stats["failed"]
    accepted = [
        one for one in (await message_rows(crew.author, row["id"])).values() if one["carrier_ids"]
    ]
    assert sum(hour["sent"] for hour in hours) == len(accepted)
    assert parts["top-authors"]["items"] == [
        {"author": {"id": "ann", "name": "Ann"}, "campaigns": 1}
    ]
    [recent] = parts["recent"]["items"]
    assert (recent["id"], recent["status"], recent["stats"]) == (row["id"], "done", stats)
    [listed] = (await crew.seen("/campaigns"))["items"]
    assert listed["stats"] == stats
    assert listed["progress"]["processed_count"] == stats["total"]
    assert listed["progress"]["success_percent"] == stats["delivered"] * 100 / stats["total"]
    page = await crew.seen("/overview")
    assert page["kpi"] == parts["kpi"]
    assert page["recent"] == parts["recent"]
    assert page["top_authors"] == parts["top-authors"]


def funnel_of_voice() -> tuple[str, ...]:
    return ("draft", "running", "paused", "completed", "failed")


async def test_everybody_reads_their_own_writes(crew: Crew, numbers: Numbers) -> None:
    author, sender = crew.author, await crew.sender()
    for phone in numbers(8):
        made = await author.post("/campaigns", json=body_of(sender))
        path = f"/campaigns/{made.json()['id']}"
        headers = {"Min-Event-Position": made.headers["Event-Position"]}
        read = await author.get(path, headers=headers)
        assert (read.status_code, read.json()["status"]) == (200, "new"), read.text
        put = await author.put(
            f"{path}/contacts", content=csv_of([phone]), headers={"Content-Type": "text/csv"}
        )
        headers = {"Min-Event-Position": put.headers["Event-Position"]}
        assert (await author.get(path, headers=headers)).json()["stats"]["total"] == 1
        queue = await crew.moderator.get("/moderation/campaigns", headers=headers)
        assert made.json()["id"] in [row["id"] for row in queue.json()["items"]]
        stopped = await author.post(f"{path}/stop")
        headers = {"Min-Event-Position": stopped.headers["Event-Position"]}
        recent = (await author.get("/overview/recent", headers=headers)).json()["items"]
        assert (recent[0]["id"], recent[0]["status"]) == (made.json()["id"], "cancelled")
        assert (await author.get(f"{path}/messages", headers=headers)).status_code == 200


async def test_a_position_that_nobody_has_reached_is_answered_with_425(crew: Crew) -> None:
    headers = {"Min-Event-Position": "c999999999"}
    for path in ("/overview/kpi", "/senders", "/campaigns/x/messages"):
        answer = await crew.author.get(path, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (425, "position_not_reached")
    answer = await crew.author.get("/overview/kpi", headers={"Min-Event-Position": "soon"})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")


@asynccontextmanager
async def events(client: httpx.AsyncClient, path: str) -> AsyncIterator[AsyncIterator[Any]]:
    """The data of a stream's events, one after the other."""

    async def data() -> AsyncIterator[Any]:
        async for line in stream.aiter_lines():
            if line.startswith("data:"):
                yield json.loads(line[5:])

    async with client.stream("GET", path) as stream:
        assert stream.headers["Content-Type"].startswith("text/event-stream")
        yield data()


async def test_the_streams_tell_changes(crew: Crew, numbers: Numbers) -> None:
    sender = await crew.sender()
    async with asyncio.timeout(60), events(crew.author, "/overview/stream") as overviews:
        assert (await anext(overviews))["kpi"]["total"] == 0
        made = await crew.campaign(sender)
        async for page in overviews:
            if page["kpi"]["total"] == 1:
                break
        await crew.uploaded(made["id"], csv_of(numbers(50)))
        async with events(crew.author, f"/campaigns/{made['id']}/stream") as standings:
            assert (await anext(standings))["status"] == "new"
            await crew.approve(made["id"])
            async for standing in standings:
                if standing["status"] == "done":
                    break
        async for page in overviews:
            if page["kpi"]["completed"] == 1:
                break
    assert standing == await crew.seen(f"/campaigns/{made['id']}")


async def flowing(up: Platform, crew: Crew, phones: list[str]) -> str:
    """A campaign on the slow link, a part of which the carrier already has."""
    campaign = await crew.launched(phones, link_id="slow")
    await until(lambda: len(up.accepted(phones)) >= 10, "the first messages are out")
    return campaign


def sent_after(up: Platform, phones: list[str], moment: float) -> int:
    return sum(line["at"] > moment for line in up.accepted(phones))


async def test_a_pause_stops_the_flow_within_a_second_and_a_resumption_sends_the_rest(
    up: Platform, crew: Crew, numbers: Numbers
) -> None:
    phones = numbers(200)
    campaign = await flowing(up, crew, phones)
    assert (await crew.act(campaign, "pause"))["status"] == "paused"
    paused_at = time.time()
    await asyncio.sleep(3 * TAKES_EFFECT_S)
    assert sent_after(up, phones, paused_at + TAKES_EFFECT_S) == 0
    row = await crew.until_status(campaign, "paused")
    assert row["actions"] == ["clone", "resume", "stop"]
    await until_settled(crew, campaign)
    assert len(up.accepted(phones)) < len(phones)
    assert (await crew.act(campaign, "resume"))["status"] == "sending"
    await crew.until_status(campaign, "done")
    await receipts_paid(up)
    story = await log_ledger(up, crew.workspace, campaign)
    assert agreement(story, CarrierLedger.of(up, phones), phones) == []


async def until_settled(crew: Crew, campaign: str) -> None:
    """Wait until what is with the carrier has come to its end."""
    async with asyncio.timeout(60):
        while True:
            stats = (await crew.seen(f"/campaigns/{campaign}"))["stats"]
            if not stats["submitting"] and not stats["submitted"]:
                return
            await asyncio.sleep(0.1)


async def test_a_stopped_campaign_is_cancelled_and_nothing_more_goes_out(
    up: Platform, crew: Crew, numbers: Numbers
) -> None:
    phones = numbers(200)
    campaign = await flowing(up, crew, phones)
    assert (await crew.act(campaign, "stop"))["status"] == "cancelled"
    stopped_at = time.time()
    await asyncio.sleep(3 * TAKES_EFFECT_S)
    assert sent_after(up, phones, stopped_at + TAKES_EFFECT_S) == 0
    await until_settled(crew, campaign)
    row = await crew.until_status(campaign, "cancelled")
    assert (
        row["stats"]["queued"] == len(phones) - row["stats"]["delivered"] - row["stats"]["failed"]
    )
    assert (await crew.seen("/overview/kpi")) == {
        "total": 1,
        "active": 0,
        "completed": 0,
        "failed": 0,
    }
    assert (await crew.seen("/overview/delivery")) == NOTHING_ACTIVE


async def test_a_timed_campaign_waits_for_its_time(
    up: Platform, crew: Crew, numbers: Numbers
) -> None:
    phones = numbers(30)
    starts_at = datetime.now(UTC) + timedelta(seconds=8)
    campaign = await crew.launched(phones, mode="on_time", starts_at=starts_at.isoformat())
    row = await crew.until_status(campaign, "pending")
    assert row["actions"] == ["clone", "stop"]
    await crew.until_status(campaign, "done")
    sent = [line["at"] for line in up.accepted(phones)]
    assert sent
    assert min(sent) >= starts_at.timestamp()


async def test_a_campaign_that_starts_by_hand_waits_for_its_author(
    up: Platform, crew: Crew, numbers: Numbers
) -> None:
    phones = numbers(30)
    campaign = await crew.launched(phones, auto_start=False)
    row = await crew.until_status(campaign, "pending")
    assert row["actions"] == ["clone", "stop", "start"]
    await asyncio.sleep(2.5)
    assert up.accepted(phones) == []
    await crew.act(campaign, "start")
    await crew.until_status(campaign, "done")
