"""Voice campaigns of a whole platform: how they are started, and what became of their calls."""

import asyncio
import json
from typing import Any

from stack_campaigns import Crew, csv_of
from stacks import Platform, ask

TELEPHONY = """
[[telephony]]
id = "sim"
type = "simulator"
seed = 5
time_scale = 20
talk_mean_s = 60
answer = 0.5
dispositions = { not_interested = 0.2 }
"""
WISH: dict[str, Any] = {
    "channel": "voice",
    "name": "Spring",
    "destination": "sim:agents",
    "caller_ids": ["+4930111111"],
    "concurrency_limit": 30,
    "cps_limit": 50,
    "time_window": {"start": "00:00", "end": "23:59", "timezone": "UTC"},
    "campaign_mode": "continuous",
    "redial_rules": {"max_attempts": 2, "retry_delay_minutes": 0},
}


def people(count: int, area: int) -> list[str]:
    """Numbers that only the test of this area has."""
    return [f"+4915{area:02d}{number:07d}" for number in range(count)]


def told(up: Platform, event: str, phones: list[str]) -> list[dict[str, Any]]:
    """What the phone network wrote down about these phones."""
    file = up.data / "phones" / "ledger.jsonl"
    wanted = set(phones)
    lines = file.read_text("utf-8").splitlines(keepends=True) if file.exists() else []
    read = (json.loads(line) for line in lines if line.endswith("\n"))
    return [line for line in read if line["event"] == event and line["phone"] in wanted]


async def started(crew: Crew, phones: list[str], **settings: Any) -> str:
    made = await crew.post("/campaigns", WISH | settings)
    await crew.uploaded(made["id"], csv_of(phones))
    await crew.act(made["id"], "start")
    return str(made["id"])


async def calls_of(crew: Crew, campaign: str) -> list[dict[str, Any]]:
    page = await ask(crew.author, "GET", f"/campaigns/{campaign}/calls", params={"limit": 1000})
    return list(page["items"])


async def until_row(crew: Crew, campaign: str, within_s: float = 100, **wanted: Any) -> Any:
    """Wait until the campaign's row says so."""
    row: dict[str, Any] = {}
    async with asyncio.timeout(within_s):
        while any(row.get(name) != value for name, value in wanted.items()):
            await asyncio.sleep(0.2)
            row = await ask(crew.author, "GET", f"/campaigns/{campaign}")
    return row
