"""Taking over a run: the attempts that its previous owner left open, and where they are now."""

import asyncio
from collections.abc import Sequence

import structlog

from campaign_events.projection import Document
from dialler.calling import Call
from dialler.noting import KEPT, Notes
from dialler.reading import Views
from dialler.run import Run
from dialler.telephony.telephony import Standing, Telephony, TelephonyDownError

AGAIN_S = 0.25

log = structlog.get_logger(__name__)


async def open_calls(views: Views, notes: Notes, run: Run) -> list[Call]:
    """Return the calls of attempts without an end, with all that was written down of them."""
    rows = await views.attempts.find({"campaign": run.campaign, "open": True}).to_list()
    rows = [row for row in rows if row["run"] == run.number]
    noted = await notes.read()
    numbers = [row["number"] for row in rows]
    known = views.calls.find(
        {"campaign": run.campaign, "run": run.number, "number": {"$in": numbers}},
        {"number": 1, "connected": 1},
    )
    connected = {row["number"] async for row in known if row.get("connected")}
    calls = [_call(row, noted.get(row["call_id"], {})) for row in rows]
    for call in calls:
        call.connected_before = call.number in connected
    await notes.forget_but(calls)
    if calls:
        log.warning("calls left open", campaign=run.campaign, count=len(calls))
    return calls


async def standings(telephony: Telephony, calls: Sequence[Call]) -> Sequence[Standing]:
    """Ask the phone side where calls are, however long it is away; follow those that live."""
    names = [call.call_id for call in calls]
    while names:
        try:
            return await telephony.recall(names)
        except (TelephonyDownError, TimeoutError) as error:
            log.info("waiting for the telephony", telephony=telephony.id, why=repr(error))
            await asyncio.sleep(AGAIN_S)
    return ()


def _call(attempt: Document, noted: Document) -> Call:
    call = Call(
        number=attempt["number"],
        sequence=attempt["sequence"],
        kind=attempt["kind"],
        call_id=attempt["call_id"],
        caller_id=attempt["caller_id"],
        dialled_at=attempt["started_at"],
    )
    for name in KEPT:
        if name in noted:
            setattr(call, name, noted[name])
    return call
