"""Three ledgers of one campaign: the carrier's, the log's, the views'. None of them may differ.

The log is folded here by rules of its own: every message is followed on its own, and a fact that
finds it in a status where it can not apply is an error.
"""

import asyncio
import csv
import io
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, repeat
from typing import Any

import httpx
import nats
from nats.aio.client import Client
from pymongo import AsyncMongoClient

from campaign.launching import DUE
from campaign.suppressed import SUPPRESSED
from campaign_events.entries import Entries
from campaign_events.envelope import Recorded
from campaign_events.eventlog import EventLog
from campaign_events.generation import Generation
from campaign_events.message import BATCH, OUTCOME_UNKNOWN, Failure
from campaign_events.projection import Database, Projection
from campaign_events.succession import SCRATCH, Succession
from campaign_events.verifying import Verification
from dialler.views import CALLS as DIALLED_CALLS
from dialler.views import CAMPAIGNS as DIALLED_CAMPAIGNS
from dispatcher.addressees import ADDRESSEES
from dispatcher.suppressed import SUPPRESSED as LISTED
from dispatcher.views import CAMPAIGNS as DISPATCHED_CAMPAIGNS
from dispatcher.views import MESSAGES as DISPATCHED_MESSAGES
from moderation.projections import MODERATION
from read_model.projections import CALLS, CAMPAIGNS, HISTORY, MESSAGES
from stacks import Platform, ask, until

type Json = dict[str, Any]

PROJECTIONS: Sequence[tuple[str, Projection]] = (
    ("campaign", DUE),
    ("campaign", SUPPRESSED),
    ("moderation", MODERATION),
    ("dispatcher", DISPATCHED_CAMPAIGNS),
    ("dispatcher", DISPATCHED_MESSAGES),
    ("dispatcher", ADDRESSEES),
    ("dispatcher", LISTED),
    ("dialler", DIALLED_CAMPAIGNS),
    ("dialler", DIALLED_CALLS),
    ("read_model", CALLS),
    ("read_model", CAMPAIGNS),
    ("read_model", HISTORY),
    ("read_model", MESSAGES),
)
STATUSES = ("queued", "submitting", "submitted", "delivered", "failed", "skipped")


@dataclass(slots=True)
class Message:
    """What the log tells about one message."""

    status: str
    segments: int
    reason: str | None = None
    ids: tuple[str, ...] = ()


@dataclass
class Story:
    """The messages of one campaign as the log has them, and what it should not have said."""

    messages: dict[int, Message] = field(default_factory=dict)
    mistakes: list[str] = field(default_factory=list)
    undecided: int = 0
    """How often a message was given up, recovered later or not."""
    ends: int = 0

    @property
    def stats(self) -> dict[str, int]:
        """The numbers as `GET /campaigns/{id}` calls them."""
        counted = Counter(message.status for message in self.messages.values())
        segments = sum(message.segments for message in self.messages.values())
        return {
            "total": len(self.messages),
            **{status: counted[status] for status in STATUSES},
            "segments": segments,
        }

    @property
    def unknown(self) -> int:
        return sum(message.reason == OUTCOME_UNKNOWN for message in self.messages.values())

    def tell(self, fact: Recorded[Any]) -> None:  # noqa: C901, PLR0912 - one case per kind of fact
        """Follow one fact."""
        event = fact.event
        match event.type:
            case "message.planned":
                self._plan(event)
            case "message.skipped":
                for skip in event.skipped:
                    self._move(fact, skip.number, "queued", "skipped", skip.reason)
            case "message.taken":
                self._take(fact)
            case "message.deferred":
                for deferral in event.deferrals:
                    self._move(fact, deferral.number, "submitting", "queued")
            case "message.submitted":
                for submission in event.messages:
                    moved = self._move(fact, submission.number, "submitting", "submitted")
                    moved.ids = submission.carrier_ids
            case "message.refused":
                self._fail(fact, event.failures, "submitting")
            case "message.reported":
                for number in event.delivered:
                    self._move(fact, number, "submitted", "delivered")
                self._fail(fact, event.failed, "submitted")
            case "message.undecided":
                self.undecided += len(event.numbers)
                for number in event.numbers:
                    self._move(fact, number, "submitting", "failed", OUTCOME_UNKNOWN)
            case "message.recovered":
                self._recover(fact)
            case "message.finished":
                self.ends += 1
            case _:
                pass
        self._check_size(fact)

    def _plan(self, event: Any) -> None:
        segments = chain.from_iterable(repeat(size, count) for size, count in event.parts)
        skipped = {skip.number: skip.reason for skip in event.skipped}
        for number in range(event.first, event.last + 1):
            if number in self.messages:
                self.mistakes.append(f"{number} is planned twice")
            elif number in skipped:
                self.messages[number] = Message("skipped", 0, skipped[number])
            else:
                self.messages[number] = Message("queued", next(segments))
        if next(segments, None) is not None:
            self.mistakes.append(f"{event.first} to {event.last}: more segments than messages")

    def _take(self, fact: Recorded[Any]) -> None:
        spans = (range(first, last + 1) for first, last in fact.event.spans)
        fresh = [
            number
            for number in chain.from_iterable(spans)
            if self.messages[number].status != "skipped"
        ]
        taken = [*fresh, *fact.event.retried]
        if len(taken) != fact.event.count:
            self.mistakes.append(f"{fact.seq} takes {len(taken)}, but says {fact.event.count}")
        for number in taken:
            self._move(fact, number, "queued", "submitting")

    def _fail(self, fact: Recorded[Any], failures: Sequence[Failure], was: str) -> None:
        for failure in failures:
            self._move(fact, failure.number, was, "failed", failure.error)

    def _recover(self, fact: Recorded[Any]) -> None:
        reasons: list[tuple[int, str, str | None]] = [
            *((number, "delivered", None) for number in fact.event.delivered),
            *((failure.number, "failed", failure.error) for failure in fact.event.failed),
        ]
        for number, status, reason in reasons:
            if self.messages[number].reason != OUTCOME_UNKNOWN:
                self.mistakes.append(f"{fact.seq} recovers {number}, which was not lost")
            self._move(fact, number, "failed", status, reason)

    def _move(
        self, fact: Recorded[Any], number: int, was: str, becomes: str, reason: str | None = None
    ) -> Message:
        message = self.messages[number]
        if message.status != was:
            self.mistakes.append(
                f"{fact.seq} {fact.event.type}: {number} is {message.status}, not {was}"
            )
        message.status, message.reason = becomes, reason
        return message

    def _check_size(self, fact: Recorded[Any]) -> None:
        for name, value in fact.event:
            if isinstance(value, tuple) and name != "parts" and len(value) > BATCH:
                self.mistakes.append(f"{fact.seq} {fact.event.type}: {len(value)} {name}")


async def log_ledger(platform: Platform, workspace: str, campaign: str) -> Story:
    """Read a campaign's messages from the log."""
    nc = await nats.connect(platform.file().nats_url.split(","))
    try:
        subject = f"message.{workspace}.{campaign}.>"
        facts = await EventLog(nc).load_subject("MESSAGES", subject)
    finally:
        await nc.close()
    story = Story()
    for fact in facts:
        story.tell(fact)
    return story


@dataclass(frozen=True)
class CarrierLedger:
    """What the carrier knows about some numbers."""

    parts: Mapping[str, Sequence[Json]]
    """Accepted parts by destination, in the order of the parts."""
    refused: Counter[str]

    @classmethod
    def of(cls, platform: Platform, phones: Sequence[str]) -> "CarrierLedger":
        wanted = {phone.removeprefix("+") for phone in phones}
        parts: defaultdict[str, list[Json]] = defaultdict(list)
        refused: Counter[str] = Counter()
        for line in platform.carrier_book("accepted", "refused"):
            if line["destination"] not in wanted:
                continue
            if line["event"] == "accepted":
                parts[line["destination"]].append(line)
            else:
                refused[line["destination"]] += 1
        for accepted in parts.values():
            accepted.sort(key=lambda line: int(line["part"]))
        return cls(parts, refused)

    @property
    def twice(self) -> list[str]:
        """Parts of messages that a person got more than once."""
        counted = Counter(
            (phone, line["part"]) for phone, lines in self.parts.items() for line in lines
        )
        return [
            f"{phone} part {part}: {count}" for (phone, part), count in counted.items() if count > 1
        ]


def agreement(story: Story, carrier: CarrierLedger, phones: Sequence[str]) -> list[str]:
    """Everything in which the log and the carrier disagree; number n is the nth phone."""
    wrong = [*story.mistakes, *carrier.twice]
    if sorted(story.messages) != list(range(1, len(phones) + 1)):
        wrong.append(f"the log knows {len(story.messages)} messages, there are {len(phones)}")
    for number, message in story.messages.items():
        phone = phones[number - 1].removeprefix("+")
        why = _disagreement(message, carrier.parts.get(phone, ()), carrier.refused[phone])
        if why:
            wrong.append(f"{number}: {why} ({message}, {carrier.parts.get(phone)})")
    return wrong


def _disagreement(message: Message, parts: Sequence[Json], refused: int) -> str | None:  # noqa: PLR0911
    """Why one message is not what the carrier says it is."""
    whole = len(parts) == message.segments
    delivered = whole and all(line["stat"] == "DELIVRD" for line in parts)
    if not _same_ids(message, parts):
        return "other ids than the carrier's"
    if message.status in ("skipped", "queued") and parts:
        return "the carrier has it"
    if message.status == "delivered" and not delivered:
        return "the carrier did not deliver it"
    if message.status in ("submitting", "submitted"):
        return "not final"
    if message.status == "failed" and delivered:
        return "the carrier delivered it"
    if message.status != "failed" or message.reason == OUTCOME_UNKNOWN:
        return None
    if message.ids and message.reason not in [line["error"] for line in parts]:
        return "another error than the carrier's"
    return None if message.ids or refused or whole else "the carrier never refused it"


def _same_ids(message: Message, parts: Sequence[Json]) -> bool:
    """A part that had no answer, of a message that failed by another part, may have no id."""
    theirs = {int(line["part"]): line["message_id"] for line in parts}
    ours = {part: name for part, name in enumerate(message.ids, 1) if name}
    if message.ids and message.status != "failed" and ours != theirs:
        return False
    return ours.items() <= theirs.items()


async def receipts_paid(platform: Platform) -> None:
    """Wait until the carrier owes no delivery report any more."""

    def owes_nothing() -> bool:
        owed = sum(int(line["receipts"]) for line in platform.carrier_book("accepted"))
        return len(platform.carrier_book("receipt")) >= owed

    await until(owes_nothing, "every delivery report is acknowledged", look_s=0.5)


async def message_rows(client: httpx.AsyncClient, campaign: str) -> dict[int, Json]:
    """All messages of a campaign, page by page."""
    rows: dict[int, Json] = {}
    cursor: str | None = None
    while True:
        query: Json = {"limit": 1000} | ({"cursor": cursor} if cursor else {})
        page = await ask(client, "GET", f"/campaigns/{campaign}/messages", params=query)
        assert not rows.keys() & {row["number"] for row in page["items"]}
        rows |= {row["number"]: row for row in page["items"]}
        cursor = page["next_cursor"]
        if cursor is None:
            return rows


async def report_rows(client: httpx.AsyncClient, campaign: str) -> dict[int, Json]:
    """All messages of a campaign as its delivery report tells them, in the shape of the list."""
    answer = await client.get(f"/campaigns/{campaign}/delivery-report.csv")
    answer.raise_for_status()
    rows = csv.DictReader(io.StringIO(answer.text, newline=""))
    return {int(row["number"]): _listed(row) for row in rows}


def differing_reports(rows: Mapping[int, Json], told: Mapping[int, Json]) -> list[str]:
    """Where the delivery report tells something else than the list of messages."""
    wrong = [f"{number} is missing" for number in rows.keys() ^ told.keys()]
    for number in rows.keys() & told.keys():
        shown = {name: rows[number][name] for name in told[number]}
        shown["carrier_ids"] = [name for name in shown["carrier_ids"] if name]
        if shown != told[number]:
            wrong.append(f"{number}: the list shows {shown}, the report tells {told[number]}")
    return wrong


def _listed(row: Mapping[str, str]) -> Json:
    texts = {name: row[name] or None for name in ("phone", "reason", "submitted_at", "reported_at")}
    return {
        "number": int(row["number"]),
        "status": row["status"],
        "segments": int(row["segments"]),
        "carrier_ids": row["carrier_ids"].split(),
        **texts,
    }


def differing_rows(story: Story, rows: Mapping[int, Json], phones: Sequence[str]) -> list[str]:
    """Where the list of messages shows something else than the log tells."""
    wrong = [f"{number} is missing" for number in story.messages.keys() - rows.keys()]
    for number, row in rows.items():
        message = story.messages[number]
        told = (message.status, message.reason, message.segments, phones[number - 1])
        shown = (row["status"], row["reason"], row["segments"], row["phone"])
        if told != shown:
            wrong.append(f"{number}: the log tells {told}, the list shows {shown}")
        if message.ids and list(message.ids) != row["carrier_ids"]:
            wrong.append(f"{number}: {message.ids} are shown as {row['carrier_ids']}")
    return wrong


async def differing_views(platform: Platform) -> list[str]:
    """Fold the whole log once more, and compare every view with that, as operators do."""
    place = platform.file()
    nc = await nats.connect(place.nats_url.split(","))
    try:
        async with AsyncMongoClient[Json](place.mongo_url, tz_aware=True) as mongo:
            return [
                difference
                for service, projection in PROJECTIONS
                for difference in await differences(nc, mongo[service], projection)
            ]
    finally:
        await nc.close()


async def differences(nc: Client, db: Database, projection: Projection) -> list[str]:
    """Where the view that readers see is not what the log makes of it, to its end."""
    succession = Succession(db, projection)
    end = await EventLog(nc).last_seq(projection.stream, projection.subject)
    async with asyncio.timeout(60):
        while (await succession.place())[1] < end:
            await asyncio.sleep(0.1)
    async with db.client.start_session() as session:
        scratch = Generation(projection, SCRATCH, nc, db, session)
        verification = Verification(succession, scratch)
        await scratch.follow(_quietly, end=await verification.prepare())
        found = await verification.compare(_quietly)
    return [f"{db.name} {each}" for each in found.differences]


async def _quietly(_: Entries) -> None:
    return
