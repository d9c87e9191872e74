"""`carillon campaign run` with a big and dirty file: its last line, the pages, and the ledgers."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

import forked
from ledgers import CarrierLedger, agreement, log_ledger, receipts_paid
from stack_campaigns import Crew
from stacks import Platform, ask, plain_environment

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

type Numbers = Callable[[int], list[str]]
ROWS, DUPLICATES, RUBBISH = 20_000, 1_000, 500
GOOD = ROWS - DUPLICATES - RUBBISH


async def carillon(*arguments: str) -> tuple[int, str, str]:
    """Run the command line to its end."""
    return await forked.said(*arguments, environment=plain_environment())


def dirty_file(file: Path, good: list[str]) -> list[int]:
    """Write the file: duplicates behind their first, rubbish anywhere. Returns rubbish's lines."""
    chance = random.Random(20)
    places = sorted(chance.sample(range(1, GOOD), DUPLICATES + RUBBISH))
    kinds = ["rubbish"] * RUBBISH + ["again"] * DUPLICATES
    chance.shuffle(kinds)
    lines, bad = ["phone,name"], []
    extra = dict(zip(places, kinds, strict=True))
    for index, phone in enumerate(good):
        lines.append(f"{phone},N{index}")
        match extra.get(index):
            case "again":
                lines.append(f"{good[chance.randrange(index)]},again")
            case "rubbish":
                lines.append(f"+49{chance.randrange(100)}x,rubbish")
                bad.append(len(lines))
            case _:
                pass
    assert len(lines) == ROWS + 1
    file.write_text("\n".join(lines) + "\n")
    return bad


@asynccontextmanager
async def watching(crew: Crew) -> AsyncIterator[list[dict[str, Any]]]:
    """What the pages say again and again for as long as the block runs."""
    seen: list[dict[str, Any]] = []

    async def watch() -> None:
        while True:
            seen.append(
                {
                    "pulse": await crew.seen("/overview/pulse"),
                    "delivery": await crew.seen("/overview/delivery"),
                    "kpi": await crew.seen("/overview/kpi"),
                }
            )
            await asyncio.sleep(0.25)

    watching = asyncio.create_task(watch())
    try:
        yield seen
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)


async def test_twenty_thousand_dirty_rows_end_in_exact_totals(
    up: Platform, crew: Crew, numbers: Numbers, tmp_path: Path
) -> None:
    good = numbers(GOOD)
    file = tmp_path / "people.csv"
    bad = dirty_file(file, good)
    command = ("campaign", "run", str(file), "--data", str(up.data), "--workspace", crew.workspace)
    text = "Hello {{name}}, it is time."
    async with watching(crew) as seen:
        code, out, err = await carillon(*command, "--text", text, "--approve")
    assert code == 0, out + err
    lines = out.splitlines()
    assert (
        f"uploaded: {GOOD} accepted, {RUBBISH} invalid, {DUPLICATES} duplicate, 0 suppressed"
        in (lines)
    )
    told = [int(line.split(":")[0].split()[1]) for line in lines if line.startswith("  line ")]
    assert told == bad[:20]
    status, *totals = lines[-1].split()
    stats = {name: int(value) for name, value in (total.split("=") for total in totals)}
    assert status == "done"
    assert (stats["total"], stats["skipped"], stats["segments"]) == (GOOD, 0, GOOD)
    assert stats["delivered"] + stats["failed"] == GOOD

    [row] = (await crew.seen("/campaigns"))["items"]
    assert row["stats"] == stats
    await receipts_paid(up)
    story = await log_ledger(up, crew.workspace, row["id"])
    assert agreement(story, CarrierLedger.of(up, good), good) == []
    assert story.stats == stats
    await check_overview(crew, row, sum(bool(one.ids) for one in story.messages.values()))
    check_what_was_seen(seen)


async def check_overview(crew: Crew, row: dict[str, Any], sent: int) -> None:
    page = await ask(crew.author, "GET", "/overview")
    assert page["kpi"] == {"total": 1, "active": 0, "completed": 1, "failed": 0}
    assert (page["funnel"]["done"], page["funnel"]["new"]) == (1, 0)
    assert page["delivery"] == {"delivered": 0, "in_flight": 0, "errors": 0, "state": "ready"}
    assert [(one["id"], one["stats"]) for one in page["recent"]["items"]] == [
        (row["id"], row["stats"])
    ]
    hours = page["activity"]["items"]
    assert sum(hour["sent"] for hour in hours) == sent
    assert sum(hour["failed"] for hour in hours) == row["stats"]["failed"]
    author = {"id": "dev-author", "name": "Local Author"}
    assert page["top_authors"]["items"] == [{"author": author, "campaigns": 1}]
    assert page["pulse"]["in_flight"] == 0


def check_what_was_seen(seen: list[dict[str, Any]]) -> None:
    """While it ran, the pages moved, and no number was more than there is."""
    during = [page for page in seen if page["kpi"]["active"]]
    assert during
    assert max(page["pulse"]["in_flight"] for page in during) > 0
    assert max(page["pulse"]["delivered"] for page in during) > 0
    delivered = [page["delivery"]["delivered"] for page in during if page["delivery"]["delivered"]]
    assert delivered == sorted(delivered)
    assert max(delivered) <= GOOD
    assert all(page["pulse"]["core"] == "ok" for page in seen)


async def test_a_token_of_the_command_line_is_one_person_in_one_workspace(
    up: Platform, crew: Crew
) -> None:
    made = await crew.campaign(await crew.sender())
    whom = ("--workspace", crew.workspace, "--sub", "cli", "--role", "viewer")
    code, out, _ = await carillon("token", "--data", str(up.data), *whom)
    assert code == 0
    async with up.stranger({"Authorization": f"Bearer {out.strip()}"}) as viewer:
        assert (await crew.seen(f"/campaigns/{made['id']}", viewer))["actions"] == []
        answer = await viewer.post(f"/campaigns/{made['id']}/stop")
        assert answer.status_code == 403


@pytest.mark.parametrize(
    ("rows", "complaint"),
    [("", "the file holds no rows"), ("phone\nrubbish\n", "the campaign has no contacts yet")],
)
async def test_a_file_without_people_is_one_clear_line(
    up: Platform, crew: Crew, tmp_path: Path, rows: str, complaint: str
) -> None:
    file = tmp_path / "nobody.csv"
    file.write_text(rows)
    command = ("campaign", "run", str(file), "--data", str(up.data), "--workspace", crew.workspace)
    code, _, err = await carillon(*command, "--text", "Hello", "--approve")
    assert code == 1
    assert err.startswith("carillon: ")
    assert complaint in err
    assert "Traceback" not in err
