"""What the dispatcher derives from the log: campaigns and senders, messages and how far they are.

A message has a place in a block (`dispatcher.blocks`) from the moment when it is skipped, answered
by the carrier, or given up. One that waits has none: its place in the row order says so, or a
document among the `deferred`, named `<campaign>/<number>`. Of those that are with the carrier
unanswered, the sending lists the numbers (`open`).
"""

from datetime import timedelta
from functools import singledispatch

from pymongo import DeleteMany, DeleteOne, IndexModel, UpdateOne

from campaign_events.campaign import (
    CampaignCreated,
    CampaignDeleted,
    CampaignEdited,
    ContactsUploaded,
    StatusChanged,
)
from campaign_events.envelope import Event, Events, Recorded
from campaign_events.message import (
    OUTCOME_UNKNOWN,
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
    PortionOpened,
    ReportsUnmatched,
    SendingExpired,
    SendingFailed,
    SendingFinished,
)
from campaign_events.projection import Document, Projection, Write, Writes
from campaign_events.sender import RevisionApproved, RevisionSubmitted
from dispatcher.blocks import block_of, message_id
from dispatcher.writes import MessageWrites, Row, moment
from smpp.message_ids import folded

UNMATCHED_KEPT_S = 7 * 24 * 3600
"""How long reports that nobody could place can be looked at."""

REFUSING = ("refusing_since", "refusals")
"""What a sending says of refusals in a row; gone with the first answer that is none."""


def fold_campaigns(events: Events) -> Writes:
    """Keep what sending needs to know of each campaign and sender."""
    campaigns: list[Write] = []
    senders: list[Write] = []
    for recorded in events:
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
                until = getattr(change, "until", None)
                moved: dict[str, object] = {"status": change.becomes, "until": until}
                if recorded.traceparent:
                    moved["traceparent"] = recorded.traceparent
                campaigns.append(UpdateOne(key, {"$set": moved}))
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


def fold_messages(events: Events) -> Writes:
    """Keep every message's state, and per campaign how far planning and sending are."""
    writes = MessageWrites()
    for recorded in events:
        _apply(recorded.event, writes, recorded)
    return writes.all()


@singledispatch
def _apply(_event: Event, _writes: MessageWrites, _fact: Recorded[Event]) -> None:
    """Events of other kinds change nothing here."""


@_apply.register
def _(event: MessagesPlanned, w: MessageWrites, fact: Recorded[Event]) -> None:
    w.new(fact, "skipped", ((skip.number, {"reason": skip.reason}) for skip in event.skipped))
    w.sum(
        fact,
        place={
            "workspace": fact.address.workspace,
            "planned_to": event.last,
            "planned_seq": fact.seq,
        },
        queued=event.queued,
        listed=event.queued,
        skipped=len(event.skipped),
        segments=event.segments,
    )


@_apply.register(PlanFinished)
@_apply.register(PlanFailed)
def _(_: Event, w: MessageWrites, fact: Recorded[Event]) -> None:
    w.sum(fact, place={"workspace": fact.address.workspace, "planned": True})


@_apply.register
def _(event: MessagesSkipped, w: MessageWrites, fact: Recorded[Event]) -> None:
    w.new(fact, "skipped", ((skip.number, {"reason": skip.reason}) for skip in event.skipped))
    w.rest_no_more(fact, [skip.number for skip in event.skipped])
    w.sum(fact, queued=-len(event.skipped), skipped=len(event.skipped))


@_apply.register
def _(event: MessagesTaken, w: MessageWrites, fact: Recorded[Event]) -> None:
    fresh = [number for first, last in event.spans for number in range(first, last + 1)]
    place: dict[str, object] = {"taken_seq": fact.seq}
    if fresh:
        place["taken_to"] = fresh[-1]
    w.sum(
        fact,
        taken=[*fresh, *event.retried],
        place=place,
        queued=-event.count,
        submitting=event.count,
        portion_taken=event.count - len(event.retried),
    )
    w.rest_no_more(fact, event.retried)


@_apply.register
def _(event: MessagesSubmitted, w: MessageWrites, fact: Recorded[Event]) -> None:
    at, known = moment(fact), list[str]()
    rows: list[Row] = []
    for number, given in event.messages:
        carrier_ids = tuple([folded(carrier_id) for carrier_id in given])
        known += carrier_ids
        row: Document = {
            "link": event.link,
            "segments": len(carrier_ids),
            "carrier_ids": carrier_ids,
            "submitted_at": at,
        }
        if carrier_ids != given:
            row["given_ids"] = given
        rows.append((number, row))
    w.new(fact, "submitted", rows)
    names = [f"{event.link}/{carrier_id}" for carrier_id in known]
    w.unmatched.append(DeleteMany({"_id": {"$in": names}}))
    count = len(event.messages)
    w.sum(
        fact,
        closed=[number for number, _ in event.messages],
        place={"last_submitted_at": fact.time},
        without=REFUSING,
        submitting=-count,
        submitted=count,
        accepted=count,
    )


@_apply.register
def _(event: MessagesRefused, w: MessageWrites, fact: Recorded[Event]) -> None:
    at = moment(fact)
    w.new(
        fact,
        "failed",
        ((one.number, {"reason": one.error, "reported_at": at}) for one in event.failures),
    )
    count = len(event.failures)
    w.sum(
        fact,
        closed=[failure.number for failure in event.failures],
        place={"refused_at": fact.time},
        least={"refusing_since": fact.time},
        submitting=-count,
        failed=count,
        refused=count,
        refusals=count,
    )


@_apply.register
def _(event: MessagesDeferred, w: MessageWrites, fact: Recorded[Event]) -> None:
    for deferral in event.deferrals:
        campaign, number = fact.address.thing, deferral.number
        due_at = fact.time + timedelta(seconds=deferral.after_s)
        change: dict[str, object] = {
            "$set": {"campaign": campaign, "number": number, "due_at": due_at}
        }
        if deferral.temporary:
            change |= {"$inc": {"tries": 1}, "$min": {"since": fact.time}}
        w.deferred.append(UpdateOne({"_id": message_id(campaign, number)}, change, upsert=True))
    count = len(event.deferrals)
    closed = [deferral.number for deferral in event.deferrals]
    w.sum(fact, closed=closed, without=REFUSING, submitting=-count, queued=count)


@_apply.register
def _(event: MessagesReported, w: MessageWrites, fact: Recorded[Event]) -> None:
    told: Document = {"status": "delivered", "reported_at": moment(fact)}
    w.move(fact, event.delivered, "submitted", told)
    failed = w.fail(fact, event.failed, "submitted")
    for part in event.parts:
        end = "delivered" if part.delivered else part.error or "failed"
        w.block(fact, block_of(part.number)).end_part(part.number, part.part, end)
    delivered = len(event.delivered)
    w.sum(fact, submitted=-delivered - failed, delivered=delivered, failed=failed)


@_apply.register
def _(event: MessagesUndecided, w: MessageWrites, fact: Recorded[Event]) -> None:
    at = moment(fact)
    facts = {"reason": OUTCOME_UNKNOWN, "unknown": True, "link": event.link, "unknown_at": at}
    w.new(fact, "failed", ((number, dict(facts)) for number in event.numbers), {"unknown_at": at})
    count = len(event.numbers)
    w.sum(fact, closed=event.numbers, without=REFUSING, submitting=-count, failed=count)


@_apply.register
def _(event: MessagesRecovered, w: MessageWrites, fact: Recorded[Event]) -> None:
    told: Document = {"status": "delivered", "reported_at": moment(fact), "unknown": False}
    w.move(fact, event.delivered, "failed", told, without=("reason",))
    w.fail(fact, event.failed, "failed", unknown=False)
    w.sum(fact, failed=-len(event.delivered), delivered=len(event.delivered))


@_apply.register
def _(event: PortionOpened, w: MessageWrites, fact: Recorded[Event]) -> None:
    w.sum(
        fact,
        place={
            "portion_day": event.day,
            "portion_count": event.count,
            "portion_seq": fact.seq,
            "portion_taken": 0,
        },
    )


@_apply.register
def _(event: SendingExpired, w: MessageWrites, fact: Recorded[Event]) -> None:
    w.sum(fact, place={"expired": True, "finished": event.left > 0})


@_apply.register(SendingFinished)
@_apply.register(SendingFailed)
def _(_: Event, w: MessageWrites, fact: Recorded[Event]) -> None:
    w.sum(fact, place={"finished": True})


@_apply.register
def _(event: ReportsUnmatched, w: MessageWrites, fact: Recorded[Event]) -> None:
    for index, report in enumerate(event.reports):
        facts = {"link": fact.address.thing, **report.model_dump(), "at": fact.time}
        # One that names no message is kept under its place in the log.
        name = {"_id": f"{fact.address.thing}/{report.carrier_id or f'#{fact.seq}.{index}'}"}
        w.unmatched.append(UpdateOne(name, {"$set": facts}, upsert=True))


MESSAGES = Projection(
    "messages",
    2,
    "MESSAGES",
    fold_messages,
    {
        "blocks": (
            # Only of what reports seldom change: an index that a change touches costs more than it.
            IndexModel(
                [("campaign", 1), ("block", 1)],
                name="failed",
                partialFilterExpression={"counts.failed": {"$gt": 0}},
            ),
            IndexModel(
                [("campaign", 1), ("block", 1)],
                name="skipped",
                partialFilterExpression={"counts.skipped": {"$gt": 0}},
            ),
            IndexModel("carrier_ids", sparse=True),
            IndexModel("unknown_at", sparse=True),
        ),
        "deferred": (IndexModel([("campaign", 1), ("due_at", 1)]),),
        "sendings": (IndexModel("last_submitted_at", sparse=True),),
        "unmatched": (
            IndexModel([("link", 1), ("at", -1)]),
            IndexModel("at", expireAfterSeconds=UNMATCHED_KEPT_S),
        ),
    },
    batch=100,
    rest_s=0.2,
)
