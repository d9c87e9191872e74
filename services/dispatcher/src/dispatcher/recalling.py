"""Taking over a link: what the previous owner of it knew, as the views tell it."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import structlog
from pymongo import DESCENDING

from campaign_events.faults import said
from campaign_events.message import UnmatchedReport
from campaign_events.projection import Document
from campaign_events.text import render, segmentation
from dispatcher.blocks import messages_in
from dispatcher.inflight import Fate, Message, ends_of
from dispatcher.reading import Views
from dispatcher.settling import Settling
from dispatcher.strays import STRAYS_KEPT
from dispatcher.undecided import KEPT_S

log = structlog.get_logger(__name__)


async def recall(views: Views, link: str, settling: Settling) -> None:
    """Remember what the previous owner left undecided, and reports that nobody could place."""
    for message in await _left_behind(views, link):
        settling.wait_for(message)
    strays = views.unmatched.find({"link": link})
    newest = await strays.sort("at", DESCENDING).limit(STRAYS_KEPT).to_list()
    settling.strays.remember(UnmatchedReport.model_validate(row) for row in reversed(newest))


async def _left_behind(views: Views, link: str) -> list[Message]:
    """Return this link's messages that were taken without an outcome, or ended unknown."""
    since = datetime.now(UTC) - timedelta(seconds=KEPT_S)
    blocks = await views.blocks.find({"unknown_at": {"$gt": since}}).to_list()
    unknown = [
        row
        for block in blocks
        for row in messages_in(block)
        if row.get("unknown") and row["link"] == link and row["unknown_at"] > since
    ]
    sendings = await views.sendings.find({"open": {"$exists": True, "$ne": []}}).to_list()
    numbers: dict[str, dict[int, Fate]] = {}
    for row in unknown:
        numbers.setdefault(row["campaign"], {})[row["number"]] = "unknown"
    for sending in sendings:
        numbers.setdefault(sending["_id"], {}).update(dict.fromkeys(sending["open"], "submitting"))
    mine = {"_id": {"$in": list(numbers)}, "settings.link_id": link}
    messages = [
        message
        async for campaign in views.campaigns.find(mine)
        for message in await _recalled(views, campaign, numbers[campaign["_id"]])
    ]
    ends = {(row["campaign"], row["number"]): ends_of(row) for row in unknown}
    for message in messages:
        message.ends = ends.get(message.key, {})
    if messages:
        log.warning("undecided messages", link=link, count=len(messages))
    return messages


async def _recalled(views: Views, campaign: Document, fates: Mapping[int, Fate]) -> list[Message]:
    """Return what can be said of messages whose answers nobody knows, of erased people too."""
    numbers = {"$in": list(fates)}
    contacts = await views.audience(campaign).numbered(numbers, len(fates))
    told = {contact["number"]: _told(campaign, contact, fates) for contact in contacts}
    return [
        told.get(number)
        or Message(campaign["_id"], campaign["workspace"], number, parts=1, fate=fates[number])
        for number in fates
    ]


def _told(campaign: Document, contact: Document, fates: Mapping[int, Fate]) -> Message | None:
    """Return a message as its contact tells it; None when it can not be made any more."""
    try:
        text = render(campaign["settings"]["text"], contact["variables"])
        parts = segmentation(text).segments
    except (KeyError, TypeError) as error:
        log.warning("undecided message not made", campaign=campaign["_id"], why=said(error))
        return None
    return Message(
        campaign=campaign["_id"],
        workspace=campaign["workspace"],
        number=contact["number"],
        parts=parts,
        fate=fates[contact["number"]],
        phone=contact["phone"],
    )
