"""How far are these campaigns? The counters behind their numbers, whatever their channels."""

import asyncio
from collections.abc import Sequence

from pymongo.asynchronous.collection import AsyncCollection

from campaign_events.projection import Document
from read_model.views import campaigns, delivery, runs

type Totals = delivery.Totals | runs.Totals


async def of(
    messages: AsyncCollection[Document],
    calls: AsyncCollection[Document],
    rows: Sequence[Document],
    run: int | None = None,
) -> dict[str, Totals]:
    """Return the counters by id, in one round trip per channel."""
    sms, voice = by_channel(rows)
    of_messages, of_calls = await asyncio.gather(
        delivery.of(messages, campaigns.ids(sms)), runs.of(calls, voice, run)
    )
    return of_messages | of_calls


def by_channel(rows: Sequence[Document]) -> tuple[list[Document], list[Document]]:
    """Return the rows of SMS campaigns, and those of voice campaigns."""
    voice = [row for row in rows if row["channel"] == "voice"]
    return [row for row in rows if row["channel"] != "voice"], voice
