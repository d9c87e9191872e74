"""A voice campaign of the whole platform through a real Asterisk, which is killed on the way."""

import asyncio
import csv
import io
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from asterisk_lab import ARI, LEDGER, Lab
from ledgers import differing_views
from sip_ledger import SipLedger
from stack_campaigns import Crew, csv_of, phones
from stacks import Platform, ask, platform, until

CONTACTS = 300
TELEPHONY = f"""
[[telephony]]
id = "pbx"
type = "asterisk"
url = "{ARI}"
username = "carillon"
password = "lab"
endpoint = "PJSIP/{{number}}@carrier"
"""
CAMPAIGN = {
    "channel": "voice",
    "name": "Real phones",
    "destination": "pbx:talk@desk",
    "caller_ids": ["+4930111111"],
    "concurrency_limit": 60,
    "cps_limit": 20,
    "dial_timeout_s": 15,
    "time_window": {"start": "00:00", "end": "23:59", "timezone": "UTC"},
    "campaign_mode": "continuous",
    "redial_rules": {"max_attempts": 2, "retry_delay_minutes": 0},
    "amd": {"enabled": True, "action_on_unknown": "teardown"},
}
PERSON, MACHINE, BUSY, PATIENT, UNALLOCATED, DECLINES, SILENT, UNAVAILABLE, CONGESTED, BRIEF = (
    "0123456789"
)
ENDS = {
    PERSON: {("connected", "human", "16")},
    MACHINE: {("machine", "machine", "16")},
    BUSY: {("busy", "", "17/486")},
    PATIENT: {("no_answer", "", "19/480")},
    UNALLOCATED: {("error", "", "1/404")},
    DECLINES: {("rejected", "", "21/603")},
    SILENT: {("machine", "machine", "16"), ("machine", "unknown", "16")},
    UNAVAILABLE: {("no_answer", "", "19/480")},
    CONGESTED: {("error", "", "34/503")},
    BRIEF: {("connected", "human", "16"), ("abandoned", "", "16"), ("abandoned", "human", "16")},
}
"""What an attempt comes to by the last digit of its phone: outcome, AMD's verdict, cause. Somebody
brief hangs up at a seat, before anything was heard, or between the two."""
MISHEARD = {PERSON: ("machine", "machine", "16"), BRIEF: ("machine", "machine", "16")}
"""What Asterisk makes of a person whose voice stutters, on a machine that others keep busy."""
MOST_MISHEARD = CONTACTS // 20
BECOMES = {
    "connected": "completed",
    "machine": "machine_detected",
    "abandoned": "abandoned",
    **dict.fromkeys(("busy", "no_answer", "rejected", "error", "timeout"), "failed"),
}
SLACK_S = 1.0

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


@dataclass(frozen=True)
class Outage:
    """Something was away from one moment to another, and surely dead by one between them."""

    began: float
    dead_by: float
    ended: float

    def touches(self, attempt: dict[str, str]) -> bool:
        """Tell whether an attempt lived then."""
        first, last = (_seconds(attempt[name]) for name in ("started_at", "ended_at"))
        return first <= self.ended + SLACK_S and last >= self.began - SLACK_S


@pytest.fixture
def up(lab: Lab, tmp_path: Path) -> Iterator[Platform]:  # noqa: ARG001 - they share a network
    with platform(tmp_path, telephony=TELEPHONY) as started:
        yield started


@pytest.fixture
async def crew(up: Platform) -> AsyncIterator[Crew]:
    people = Crew.of(up)
    yield people
    await people.close()


async def test_everybody_is_called_as_they_are_although_asterisk_and_the_dialler_are_killed(
    lab: Lab, up: Platform, crew: Crew
) -> None:
    made = await crew.post("/campaigns", CAMPAIGN)
    report = await crew.uploaded(made["id"], csv_of(phones(CONTACTS)))
    assert (report["accepted"], report["invalid"]) == (CONTACTS, 0)
    await crew.act(made["id"], "start")

    await until(lambda: len(ledger(lab).calls) >= CONTACTS // 4, "a quarter is called")
    asterisk = await asterisk_dies(lab)
    await until(lambda: len(ledger(lab).calls) >= CONTACTS, "as many calls as contacts")
    dialler = await dialler_dies(lab, up)
    row = await completed(crew, made["id"])

    cuts = [asterisk.dead_by]
    assert len(ledger(lab).live(asterisk.began - 0.01, cuts)) >= 10
    assert len(ledger(lab).live(dialler.began, cuts)) >= 10
    attempts = await attempts_of(crew, made["id"])
    calls = await calls_of(crew, made["id"])
    clean = check_attempts(attempts, [asterisk, dialler])
    assert min(clean[digit] for digit in ENDS) >= 5
    assert sum(clean.values()) >= CONTACTS / 2
    check_calls(calls, attempts)
    check_carrier(ledger(lab), attempts, cuts)
    check_numbers(row, calls, attempts)
    assert await differing_views(up) == []


async def asterisk_dies(lab: Lab) -> Outage:
    """End it as a power cut would; it comes back a moment later.

    It places calls until the signal reaches it, and the carrier writes of them a moment later.
    """
    began = time.time()
    await asyncio.to_thread(lab.kill_asterisk)
    await asyncio.sleep(1)
    dead_by = time.time()
    await asyncio.to_thread(lab.start_asterisk)
    return Outage(began, dead_by, await next_call(lab))


async def dialler_dies(lab: Lab, up: Platform) -> Outage:
    """End it without a warning; the launcher starts it again."""
    began = time.time()
    await up.kill("dialler")
    return Outage(began, time.time(), await next_call(lab))


async def next_call(lab: Lab) -> float:
    """Wait until somebody is called again, and tell when that was."""
    so_far = len(ledger(lab).calls)
    await until(lambda: len(ledger(lab).calls) > so_far, "another call")
    return ledger(lab).calls[so_far].began


async def completed(crew: Crew, campaign: str) -> dict[str, Any]:
    """Wait until the campaign is over, and return its row."""
    async with asyncio.timeout(120):
        while True:
            row: dict[str, Any] = await crew.seen(f"/campaigns/{campaign}")
            if row["status"] == "completed":
                return row
            assert row["status"] == "running", row
            await asyncio.sleep(0.3)


def ledger(lab: Lab) -> SipLedger:
    """What the carrier has seen so far."""
    return SipLedger.read(lab.folder / LEDGER)


async def attempts_of(crew: Crew, campaign: str) -> dict[str, list[dict[str, str]]]:
    """The attempt report, by phones."""
    answer = await crew.author.get(f"/campaigns/{campaign}/attempt-report.csv")
    answer.raise_for_status()
    found: defaultdict[str, list[dict[str, str]]] = defaultdict(list)
    for row in csv.DictReader(io.StringIO(answer.text, newline="")):
        found[row["phone"]].append(row)
    return dict(found)


async def calls_of(crew: Crew, campaign: str) -> dict[str, dict[str, Any]]:
    """Every call, page by page."""
    found: dict[str, dict[str, Any]] = {}
    cursor: str | None = None
    while True:
        query: dict[str, Any] = {"limit": 70} | ({"cursor": cursor} if cursor else {})
        page = await ask(crew.author, "GET", f"/campaigns/{campaign}/calls", params=query)
        assert not found.keys() & {row["phone"] for row in page["items"]}
        found |= {row["phone"]: row for row in page["items"]}
        cursor = page["next_cursor"]
        if cursor is None:
            return found


def check_attempts(
    attempts: dict[str, list[dict[str, str]]], outages: list[Outage]
) -> Counter[str]:
    """Every attempt came to the end that its person gave it; return how many of each were clean.

    One that lived while something was away may be an error, if nobody could learn its end,
    abandoned, if nobody was there to attach it, or a machine, if nothing was heard in time.
    A few people may be taken for machines at any time: that is Asterisk's judgement of their voice.
    """
    clean: Counter[str] = Counter()
    misheard = 0
    for phone, rows in attempts.items():
        for row in rows:
            ends = (row["outcome"], row["amd"], row["hangup_cause"])
            if any(outage.touches(row) for outage in outages):
                natural = {outcome for outcome, _, _ in ENDS[phone[-1]]}
                assert row["outcome"] in natural | {"error", "abandoned", "machine"}, row
                continue
            if ends == MISHEARD.get(phone[-1]):
                misheard += 1
                continue
            assert ends in ENDS[phone[-1]], row
            clean[phone[-1]] += 1
    assert misheard <= MOST_MISHEARD
    return clean


def check_calls(calls: dict[str, Any], attempts: dict[str, list[dict[str, str]]]) -> None:
    """Every contact is in the final state that its last attempt leads to, and was tried enough."""
    assert sorted(calls) == sorted(attempts) == sorted(phones(CONTACTS))
    for phone, call in calls.items():
        rows = attempts[phone]
        last = rows[-1]["outcome"]
        assert call["status"] == BECOMES[last], (call, rows)
        assert call["outcome"] == last
        assert call["attempts"] == len(rows) == int(rows[-1]["sequence"])
        assert [row["kind"] for row in rows] == ["first", "retry"][: len(rows)]
        assert all(BECOMES[row["outcome"]] == "failed" for row in rows[:-1])
        given_up = phone[-1] == UNALLOCATED and rows[-1]["hangup_cause"] == "1/404"
        if call["status"] == "failed" and not given_up:
            assert len(rows) == 2, (call, rows)


def check_carrier(
    seen: SipLedger, attempts: dict[str, list[dict[str, str]]], cuts: list[float]
) -> None:
    """Nobody was rung twice at once, nor more often than the attempts say."""
    assert seen.rung_twice_at_once(cuts) == set()
    of_phones = seen.of_phones()
    for phone, rows in attempts.items():
        rung, known = of_phones.get(phone, []), [row for row in rows if row["hangup_cause"]]
        assert len(known) <= len(rung) <= len(rows), (rung, rows)
        starts = [_seconds(row["started_at"]) for row in rows]
        assert all(call.began >= starts[0] - 0.01 for call in rung), (rung, rows)
        talked = sum(row["answered_at"] != "" for row in rows)
        assert talked <= sum(call.answered for call in rung), (rung, rows)


def check_numbers(
    row: dict[str, Any], calls: dict[str, Any], attempts: dict[str, list[dict[str, str]]]
) -> None:
    """The numbers on the campaign's row are those of its calls and attempts."""
    states = Counter(call["status"] for call in calls.values())
    told = [attempt for rows in attempts.values() for attempt in rows]
    stats = row["stats"]
    assert stats["total_calls"] == row["progress"]["processed_count"] == CONTACTS
    assert row["progress"]["processed_percent"] == 100
    for name, count in {
        "completed": states["completed"],
        "failed": states["failed"],
        "abandoned": states["abandoned"],
        "machine_detected_count": states["machine_detected"],
        "connected": states["completed"],
        "attempts": len(told),
        "answered_attempts": sum(attempt["answered_at"] != "" for attempt in told),
        "live": 0,
        "pending": 0,
        "retry_pending": 0,
    }.items():
        assert stats[name] == count, (name, stats, states)


def _seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()
