"""What the dispatcher derives from the log: campaigns and senders, messages and how far they are.

A message document is named `<campaign>/<number>`, so that a campaign's messages lie side by side
in row order and a span of them is one range of ids.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from functools import singledispatch

from pymongo import DeleteMany, DeleteOne, IndexModel, InsertOne, UpdateMany, UpdateOne

from campaign_events.campaign import (
    CampaignCreated,
    CampaignDeleted,
    CampaignEdited,
    ContactsUploaded,
    StatusChanged,
)
from campaign_events.envelope import Batch, Event, Recorded
from campaign_events.message import (
    OUTCOME_UNKNOWN,
    Failure,
    MessagesDeferred,
    MessagesPlanned,
    MessagesRecovered,
    MessagesRefused,
    MessagesReported,
    MessagesSkipped,
    MessagesSubmitted,
    MessagesTaken,
    MessagesUndecided,
    PlanFailed,
    PlanFinished,
    ReportsUnmatched,
    SendingFailed,
    SendingFinished,
)
from campaign_events.projection import Projection, Write, Writes
from campaign_events.sender import RevisionApproved, RevisionSubmitted


def message_id(campaign: str, number: int) -> str:
    """Return the name of a message; names sort by number within a campaign."""
    return f"{campaign}/{number:08d}"


def fold_campaigns(batch: Batch) -> Writes:
    """Keep what sending needs to know of each campaign and sender."""
    campaigns: list[Write] = []
    senders: list[Write] = []
    for recorded in batch:
        key = {"_id": recorded.address.thing}
        workspace = {"workspace": recorded.address.workspace}
        match recorded.event:
            case CampaignCreated(settings=settings):
                facts = {"settings": settings.model_dump(), "status": "new", **workspace}
                campaigns.append(UpdateOne(key, {"$set": facts}, upsert=True))
            case CampaignEdited(settings=settings):
                campaigns.append(UpdateOne(key, {"$set": {"settings": settings.model_dump()}}))
            case ContactsUploaded() as upload:
                audience = {
                    "audience": upload.audience,
                    "contacts": upload.accepted + upload.suppressed,
                }
                campaigns.append(UpdateOne(key, {"$set": audience}))
            case StatusChanged() as change:
                campaigns.append(UpdateOne(key, {"$set": {"status": change.becomes}}))
            case CampaignDeleted():
                campaigns.append(DeleteOne(key))
            case RevisionSubmitted(revision=revision):
                change_ = {f"revisions.{revision.number}": revision.model_dump(), **workspace}
                senders.append(UpdateOne(key, {"$set": change_}, upsert=True))
            case RevisionApproved(number=number):
                senders.append(UpdateOne(key, {"$set": {"current": number}}))
            case _:
                pass
    return {"campaigns": campaigns, "senders": senders}


CAMPAIGNS = Projection(
    "campaigns",
    1,
    "CAMPAIGNS",
    fold_campaigns,
    {
        "campaigns": (IndexModel([("status", 1), ("settings.link_id", 1)]),),
        "senders": (),
    },
)


class _Messages:
    """The writes of one batch on messages, on the sendings they sum up to, and on stray reports."""

    def __init__(self) -> None:
        self.messages: list[Write] = []
        self.sendings: list[Write] = []
        self.unmatched: list[Write] = []

    def put(self, campaign: str, number: int, at: datetime | None = None, **facts: object) -> None:
        """Set fields of one message; `at` is when its end was reported."""
        if at is not None:
            facts["reported_at"] = at
        self.messages.append(UpdateOne({"_id": message_id(campaign, number)}, {"$set": facts}))

    def fail(self, campaign: str, failures: Iterable[Failure], at: datetime) -> int:
        """Fail messages with their errors; return how many."""
        count = 0
        for failure in failures:
            self.put(campaign, failure.number, at, status="failed", reason=failure.error)
            count += 1
        return count

    def sum(self, campaign: str, set_: dict[str, object] | None = None, **moves: int) -> None:
        """Add to a campaign's counters, and set fields of its sending."""
        change: dict[str, object] = {}
        if counted := {name: count for name, count in moves.items() if count}:
            change["$inc"] = counted
        if set_:
            change["$set"] = set_
        if change:
            self.sendings.append(UpdateOne({"_id": campaign}, change, upsert=True))


def fold_messages(batch: Batch) -> Writes:
    """Keep every message's state, and per campaign how far planning and sending are."""
    writes = _Messages()
    for recorded in batch:
        _apply(recorded.event, writes, recorded)
    return {
        "messages": writes.messages,
        "sendings": writes.sendings,
        "unmatched": writes.unmatched,
    }


@singledispatch
def _apply(_event: Event, _writes: _Messages, _fact: Recorded[Event]) -> None:
    """Events of other kinds change nothing here."""


@_apply.register
def _(event: MessagesPlanned, w: _Messages, fact: Recorded[Event]) -> None:
    skipped = {skip.number: skip.reason for skip in event.skipped}
    segments = _runs(event.parts)
    for number in range(event.first, event.last + 1):
        reason = skipped.get(number)
        w.messages.append(
            InsertOne(
                {
                    "_id": message_id(fact.address.thing, number),
                    "campaign": fact.address.thing,
                    "number": number,
                    "status": "queued" if reason is None else "skipped",
                    "reason": reason,
                    "segments": next(segments) if reason is None else 0,
                }
            )
        )
    place = {"workspace": fact.address.workspace, "planned_to": event.last, "planned_seq": fact.seq}
    w.sum(
        fact.address.thing,
        place,
        queued=event.queued,
        skipped=len(skipped),
        segments=event.segments,
    )


@_apply.register
def _(_: PlanFinished, w: _Messages, fact: Recorded[Event]) -> None:
    w.sum(fact.address.thing, {"workspace": fact.address.workspace, "planned": True})


@_apply.register
def _(_: PlanFailed, w: _Messages, fact: Recorded[Event]) -> None:
    w.sum(fact.address.thing, {"workspace": fact.address.workspace, "planned": True})


@_apply.register
def _(event: MessagesSkipped, w: _Messages, fact: Recorded[Event]) -> None:
    for skip in event.skipped:
        w.put(fact.address.thing, skip.number, status="skipped", reason=skip.reason)
    w.sum(fact.address.thing, queued=-len(event.skipped), skipped=len(event.skipped))


@_apply.register
def _(event: MessagesTaken, w: _Messages, fact: Recorded[Event]) -> None:
    facts = {"status": "submitting", "link": event.link, "taken_at": fact.time}
    for first, last in event.spans:
        span = {
            "$gte": message_id(fact.address.thing, first),
            "$lte": message_id(fact.address.thing, last),
        }
        w.messages.append(UpdateMany({"_id": span, "status": "queued"}, {"$set": facts}))
    if event.retried:
        names = [message_id(fact.address.thing, number) for number in event.retried]
        w.messages.append(UpdateMany({"_id": {"$in": names}}, {"$set": facts}))
    place: dict[str, object] = {"taken_seq": fact.seq}
    if event.spans:
        place["taken_to"] = event.spans[-1][1]
    w.sum(fact.address.thing, place, queued=-event.count, submitting=event.count)


@_apply.register
def _(event: MessagesSubmitted, w: _Messages, fact: Recorded[Event]) -> None:
    known: list[str] = []
    for message in event.messages:
        ids = list(message.carrier_ids)
        known += [f"{event.link}/{carrier_id}" for carrier_id in ids]
        w.put(
            fact.address.thing,
            message.number,
            status="submitted",
            carrier_ids=ids,
            submitted_at=fact.time,
        )
    w.unmatched.append(DeleteMany({"_id": {"$in": known}}))
    count = len(event.messages)
    w.sum(
        fact.address.thing,
        {"last_submitted_at": fact.time},
        submitting=-count,
        submitted=count,
        accepted=count,
    )


@_apply.register
def _(event: MessagesRefused, w: _Messages, fact: Recorded[Event]) -> None:
    count = w.fail(fact.address.thing, event.failures, fact.time)
    w.sum(fact.address.thing, submitting=-count, failed=count, refused=count)


@_apply.register
def _(event: MessagesDeferred, w: _Messages, fact: Recorded[Event]) -> None:
    for deferral in event.deferrals:
        facts = {"status": "queued", "due_at": fact.time + timedelta(seconds=deferral.after_s)}
        change = {"$set": facts, "$inc": {"tries": 1}}
        w.messages.append(
            UpdateOne({"_id": message_id(fact.address.thing, deferral.number)}, change)
        )
    count = len(event.deferrals)
    w.sum(fact.address.thing, submitting=-count, queued=count)


@_apply.register
def _(event: MessagesReported, w: _Messages, fact: Recorded[Event]) -> None:
    for number in event.delivered:
        w.put(fact.address.thing, number, fact.time, status="delivered")
    failed = w.fail(fact.address.thing, event.failed, fact.time)
    for part in event.parts:
        end = "delivered" if part.delivered else part.error or "failed"
        name = {"_id": message_id(fact.address.thing, part.number)}
        w.messages.append(UpdateOne(name, {"$set": {f"ends.{part.part}": end}}))
    delivered = len(event.delivered)
    w.sum(fact.address.thing, submitted=-delivered - failed, delivered=delivered, failed=failed)


@_apply.register
def _(event: MessagesUndecided, w: _Messages, fact: Recorded[Event]) -> None:
    for number in event.numbers:
        w.put(fact.address.thing, number, status="failed", reason=OUTCOME_UNKNOWN, unknown=True)
    w.sum(fact.address.thing, submitting=-len(event.numbers), failed=len(event.numbers))


@_apply.register
def _(event: MessagesRecovered, w: _Messages, fact: Recorded[Event]) -> None:
    for number in event.delivered:
        w.put(fact.address.thing, number, fact.time, status="delivered", reason=None, unknown=False)
    for failure in event.failed:
        w.put(fact.address.thing, failure.number, fact.time, reason=failure.error, unknown=False)
    w.sum(fact.address.thing, failed=-len(event.delivered), delivered=len(event.delivered))


@_apply.register(SendingFinished)
@_apply.register(SendingFailed)
def _(_: Event, w: _Messages, fact: Recorded[Event]) -> None:
    w.sum(fact.address.thing, {"finished": True})


@_apply.register
def _(event: ReportsUnmatched, w: _Messages, fact: Recorded[Event]) -> None:
    for report in event.reports:
        facts = {"link": fact.address.thing, **report.model_dump(), "at": fact.time}
        name = {"_id": f"{fact.address.thing}/{report.carrier_id}"}
        w.unmatched.append(UpdateOne(name, {"$set": facts}, upsert=True))


def _runs(parts: tuple[tuple[int, int], ...]) -> Iterator[int]:
    for segments, count in parts:
        for _ in range(count):
            yield segments


MESSAGES = Projection(
    "messages",
    1,
    "MESSAGES",
    fold_messages,
    {
        "messages": (
            IndexModel([("campaign", 1), ("status", 1), ("number", 1)]),
            IndexModel("carrier_ids", sparse=True),
            IndexModel("link", partialFilterExpression={"unknown": True}),
        ),
        "sendings": (),
        "unmatched": (IndexModel([("link", 1), ("at", -1)]),),
    },
    batch=40,
)
