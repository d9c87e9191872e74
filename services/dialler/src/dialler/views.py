"""What the dialler derives from the log: campaigns, and their runs, calls and attempts.

A call has a document from its first dial, or from the moment when it is closed while it waits to be
tried again. One that was never dialled has none: it is a contact of the audience that is neither
suppressed, nor excluded, nor completed in an earlier run, nor within a span of closed numbers.
Names sort by number within a run, so a run's calls lie side by side in row order.
"""

from collections.abc import Sequence
from functools import singledispatch
from typing import Any

from pymongo import DeleteMany, DeleteOne, IndexModel, InsertOne, UpdateMany, UpdateOne

from campaign_events.call import (
    AttemptEnd,
    CallsAdded,
    CallsClosed,
    CallsDialled,
    CallsEnded,
    CallsFinished,
    Dial,
    DiallingBroken,
    RunOpened,
)
from campaign_events.campaign import CampaignDeleted, ContactsUploaded
from campaign_events.envelope import Event, Events, Recorded
from campaign_events.projection import Projection, Write, Writes
from campaign_events.voice import (
    CampaignRestarted,
    ContactsAdded,
    ContactsExcluded,
    DiallingStarted,
    RestartCancelled,
    VoiceCampaignCreated,
    VoiceCampaignEdited,
    VoiceStatusChanged,
)
from dialler.names import attempt_name, call_name, contact_name, contact_names, run_name
from dialler.tally import hour_of

DUE = {"due_at": {"$exists": True}}


def fold_campaigns(events: Events) -> Writes:
    """Keep what dialling needs to know of each voice campaign, and whom it must not call."""
    campaigns: list[Write] = []
    excluded: list[Write] = []
    for recorded in events:
        campaigns += _campaign(recorded)
        campaign = recorded.address.thing
        if isinstance(recorded.event, ContactsUploaded):
            earlier = {"_id": contact_names(campaign)}  # numbers of an earlier audience
            excluded.append(DeleteMany(earlier))
        if isinstance(recorded.event, ContactsExcluded):
            for number in recorded.event.numbers:
                name = {"_id": contact_name(campaign, number)}
                facts = {"campaign": campaign, "number": number, "seq": recorded.seq}
                excluded.append(UpdateOne(name, {"$setOnInsert": facts}, upsert=True))
    return {"campaigns": campaigns, "excluded": excluded}


def _campaign(recorded: Recorded[Any]) -> list[Write]:  # noqa: PLR0911 - one per kind of event
    key = {"_id": recorded.address.thing}
    match recorded.event:
        case VoiceCampaignCreated(settings=settings):
            facts = {
                "workspace": recorded.address.workspace,
                "settings": settings.model_dump(),
                "status": "draft",
                "run": 1,
            }
            return [UpdateOne(key, {"$set": facts}, upsert=True)]
        case VoiceCampaignEdited(settings=settings):
            return [UpdateOne(key, {"$set": {"settings": settings.model_dump()}})]
        case ContactsUploaded() as upload:
            audience = {
                "audience": upload.audience,
                "contacts": upload.accepted + upload.suppressed,
            }
            return [UpdateOne(key, {"$set": audience})]
        case ContactsAdded(audience=name, last=last):
            return [UpdateOne(key, {"$set": {"audience": name, "contacts": last}})]
        case DiallingStarted(becomes=status, run=run):
            started: dict[str, object] = {"status": status, "run": run, "started_at": recorded.time}
            if recorded.traceparent:
                started["traceparent"] = recorded.traceparent
            return [UpdateOne(key, {"$set": started})]
        case CampaignRestarted(becomes=status, run=run) | RestartCancelled(becomes=status, run=run):
            return [UpdateOne(key, {"$set": {"status": status, "run": run}})]
        case VoiceStatusChanged(becomes=status):
            return [UpdateOne(key, {"$set": {"status": status}})]
        case CampaignDeleted():
            return [DeleteOne(key)]
        case _:
            return []


CAMPAIGNS = Projection(
    "campaigns",
    1,
    "CAMPAIGNS",
    fold_campaigns,
    {
        "campaigns": (IndexModel("status"),),
        "excluded": (IndexModel([("campaign", 1), ("seq", 1)]),),
    },
)


class _Calls:
    """The writes of one batch on runs, calls, attempts and what is counted of them."""

    def __init__(self) -> None:
        self.runs: list[Write] = []
        self.calls: list[Write] = []
        self.attempts: list[Write] = []
        self.closed: list[Write] = []
        self.done: list[Write] = []
        self.hours: list[Write] = []

    def sum(
        self, fact: Recorded[Any], run: int, place: dict[str, object] | None = None, **moves: int
    ) -> None:
        """Add to a run's counters, and set fields of it."""
        change: dict[str, object] = {}
        if counted := {name: count for name, count in moves.items() if count}:
            change["$inc"] = counted
        if place:
            change["$set"] = place
        name = {"_id": run_name(fact.address.thing, run)}
        if change:
            self.runs.append(UpdateOne(name, change, upsert=True))

    def dial(self, fact: Recorded[Any], run: int, dial: Dial) -> None:
        """Write down the intent to ring."""
        campaign = fact.address.thing
        shared = {"campaign": campaign, "run": run, "number": dial.number}
        change = {
            "$set": {**shared, "status": "dialling", "attempts": dial.sequence},
            "$unset": {"due_at": ""},
        }
        name = {"_id": call_name(campaign, run, dial.number)}
        self.calls.append(UpdateOne(name, change, upsert=True))
        attempt = {
            "_id": attempt_name(campaign, run, dial.number, dial.sequence),
            **shared,
            "sequence": dial.sequence,
            "kind": dial.kind,
            "call_id": dial.call_id,
            "caller_id": dial.caller_id,
            "started_at": fact.time,
            "open": True,
        }
        self.attempts.append(InsertOne(attempt))

    def end(self, fact: Recorded[Any], run: int, end: AttemptEnd) -> None:
        """Write down how an attempt ended, and what becomes of its contact."""
        campaign = fact.address.thing
        told = {
            "ringing_at": end.ringing_at,
            "answered_at": end.answered_at,
            "connected_at": end.connected_at,
            "ended_at": end.ended_at or fact.time,
            "outcome": end.outcome,
            "amd": end.amd,
            "disposition": end.disposition,
            "hangup_cause": end.hangup_cause,
        }
        attempt = {"_id": attempt_name(campaign, run, end.number, end.sequence)}
        self.attempts.append(UpdateOne(attempt, {"$set": told, "$unset": {"open": ""}}))
        facts: dict[str, object] = {
            "status": end.becomes,
            "outcome": end.outcome,
            "disposition": end.disposition,
        }
        if end.callback is not None:
            facts["callback"] = end.callback.model_dump()
        if end.first_connection:
            facts["connected"] = True
        change: dict[str, object] = {"$set": facts}
        if end.due_at is not None:
            facts["due_at"] = end.due_at
        name = {"_id": call_name(campaign, run, end.number)}
        self.calls.append(UpdateOne(name, change))
        if end.becomes == "completed":
            contact = {"_id": contact_name(campaign, end.number)}
            done = {"campaign": campaign, "number": end.number, "run": run}
            self.done.append(UpdateOne(contact, {"$setOnInsert": done}, upsert=True))


def fold_calls(events: Events) -> Writes:
    """Keep every call and attempt, and how far each run is."""
    writes = _Calls()
    for recorded in events:
        _apply(recorded.event, writes, recorded)
    return {
        "runs": writes.runs,
        "calls": writes.calls,
        "attempts": writes.attempts,
        "closed": writes.closed,
        "done": writes.done,
        "hours": writes.hours,
    }


@singledispatch
def _apply(_event: Event, _writes: _Calls, _fact: Recorded[Any]) -> None:
    """Events of other kinds change nothing here."""


@_apply.register
def _(event: RunOpened, w: _Calls, fact: Recorded[Any]) -> None:
    place: dict[str, object] = {
        "campaign": fact.address.thing,
        "workspace": fact.address.workspace,
        "run": event.run,
        "audience": event.audience,
        "last": event.last,
        "as_of": event.as_of,
        "opened_at": fact.time,
        "opened_seq": fact.seq,
        "finished": False,
    }
    w.sum(fact, event.run, place, total=event.total, pending=event.total)


@_apply.register
def _(event: CallsAdded, w: _Calls, fact: Recorded[Any]) -> None:
    count = event.last - event.first + 1
    place: dict[str, object] = {"last": event.last, "added_seq": fact.seq}
    w.sum(fact, event.run, place, total=count, pending=count)


@_apply.register
def _(event: CallsDialled, w: _Calls, fact: Recorded[Any]) -> None:
    kinds = [dial.kind for dial in event.dials]
    for dial in event.dials:
        w.dial(fact, event.run, dial)
    place: dict[str, object] = {"dialled_seq": fact.seq, "last_dial_at": fact.time}
    count = len(kinds)
    w.sum(
        fact,
        event.run,
        place,
        pending=-kinds.count("first"),
        retries=-kinds.count("retry"),
        callbacks=-kinds.count("callback"),
        live=count,
        attempts=count,
    )
    fresh = [dial.number for dial in event.dials if dial.kind == "first"]
    if fresh:
        name = {"_id": run_name(fact.address.thing, event.run)}
        w.runs.append(UpdateOne(name, {"$max": {"dialled_to": max(fresh)}}))


@_apply.register
def _(event: CallsEnded, w: _Calls, fact: Recorded[Any]) -> None:
    became = [end.becomes for end in event.ends]
    for end in event.ends:
        w.end(fact, event.run, end)
    w.sum(
        fact,
        event.run,
        {"ended_seq": fact.seq},
        live=-len(became),
        retries=became.count("retry_scheduled"),
        callbacks=became.count("callback_scheduled"),
        completed=became.count("completed"),
    )
    people, abandoned = counted(event.ends)
    if people:
        hour = hour_of(fact.time)
        name = {"_id": f"{fact.address.thing}/{hour:%Y-%m-%dT%H}"}
        facts = {"campaign": fact.address.thing, "hour": hour}
        counts = {"people": people, "abandoned": abandoned}
        w.hours.append(UpdateOne(name, {"$set": facts, "$inc": counts}, upsert=True))


def counted(ends: Sequence[AttemptEnd]) -> tuple[int, int]:
    """Return how many were answered by a person, and how many of those were abandoned."""
    abandoned = sum(end.outcome == "abandoned" for end in ends)
    return sum(end.outcome == "connected" for end in ends) + abandoned, abandoned


@_apply.register
def _(event: CallsClosed, w: _Calls, fact: Recorded[Any]) -> None:
    campaign = fact.address.thing
    pending = 0
    for first, last in event.pending:
        pending += last - first + 1
        span = {
            "campaign": campaign,
            "run": event.run,
            "first": first,
            "last": last,
            "becomes": event.becomes,
        }
        name = {"_id": call_name(campaign, event.run, first)}
        w.closed.append(UpdateOne(name, {"$set": span}, upsert=True))
    numbers = [*event.retries, *event.callbacks]
    if numbers:
        names = [call_name(campaign, event.run, number) for number in numbers]
        change = {"$set": {"status": event.becomes}, "$unset": {"due_at": ""}}
        w.calls.append(UpdateMany({"_id": {"$in": names}}, change))
    w.sum(
        fact,
        event.run,
        {"closed_seq": fact.seq},
        pending=-pending,
        retries=-len(event.retries),
        callbacks=-len(event.callbacks),
    )


@_apply.register
def _(event: DiallingBroken, w: _Calls, fact: Recorded[Any]) -> None:
    w.sum(fact, event.run, {"broken": True})


@_apply.register
def _(event: CallsFinished, w: _Calls, fact: Recorded[Any]) -> None:
    w.sum(fact, event.run, {"finished": True, "left": event.left})


CALLS = Projection(
    "calls",
    1,
    "CALLS",
    fold_calls,
    {
        "runs": (
            IndexModel("campaign"),
            IndexModel("finished", partialFilterExpression={"finished": False}),
        ),
        "calls": (
            IndexModel(
                [("campaign", 1), ("run", 1), ("status", 1), ("due_at", 1)],
                partialFilterExpression=DUE,
            ),
            IndexModel([("campaign", 1), ("run", 1), ("status", 1), ("number", 1)]),
            IndexModel(
                [("campaign", 1), ("run", 1), ("number", 1)],
                partialFilterExpression={"callback": {"$exists": True}},
            ),
        ),
        "attempts": (
            IndexModel("campaign", partialFilterExpression={"open": True}),
            IndexModel([("campaign", 1), ("number", 1), ("started_at", 1)]),
        ),
        "closed": (),
        "done": (),
        "hours": (IndexModel("campaign"),),
    },
    batch=50,
)
