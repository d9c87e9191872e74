"""The two questions that pages watch: a workspace's overview, and one campaign."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from campaign_events.access import Caller
from campaign_events.envelope import Position
from campaign_events.presentation import campaign as campaign_row
from campaign_events.projection import Document, Projector
from read_model.feed import Question
from read_model.overview import Overview
from read_model.streams import Frame
from read_model.views import campaigns, delivery


@dataclass(frozen=True, slots=True)
class Page:
    """An overview as all its watchers see it, ready to be sent."""

    parts: Mapping[str, Any]
    frame: Frame


@dataclass(frozen=True, slots=True)
class Standing:
    """A campaign's row and counters; what is shown of them depends on who looks."""

    row: Document
    totals: delivery.Totals
    position: str


def place(projectors: Sequence[Projector]) -> str:
    """Return what the views hold at least, now."""
    seqs = sorted((projector.projection.stream, projector.seq) for projector in projectors)
    return str(Position(tuple(seqs)))


def overview_question(
    overview: Overview, projectors: Sequence[Projector], workspace: str
) -> Question[Page]:
    """Ask for the whole overview of a workspace."""

    async def read() -> Page:
        position = place(projectors)
        parts = await overview.whole(workspace)
        return Page(parts, Frame("overview", position, orjson.dumps(parts)))

    async def aged(page: Page) -> bool:
        pulse = page.parts["pulse"]
        if pulse["delivered"] or page.parts["delivery"]["state"] == "loading":
            return True
        return (await overview.core.health()).status != str(pulse["core"])

    return Question(read, lambda old, new: _visible(old.parts) != _visible(new.parts), aged)


def _visible(parts: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a person sees change: neither the clock nor the latencies."""
    shown = {name: part for name, part in parts.items() if name != "diagnostics"}
    shown["pulse"] = {name: part for name, part in parts["pulse"].items() if name != "as_of"}
    return shown


def campaign_question(
    overview: Overview, projectors: Sequence[Projector], workspace: str, campaign_id: str
) -> Question[Standing]:
    """Ask how one campaign stands."""
    views = overview.views

    async def read() -> Standing | None:
        position = place(projectors)
        row = await campaigns.one(views.campaigns, workspace, campaign_id)
        if row is None:
            return None
        totals = await delivery.of(views.totals, [campaign_id])
        return Standing(row, totals.get(campaign_id, {}), position)

    async def aged(_: Standing) -> bool:
        return False

    return Question(read, lambda old, new: (old.row, old.totals) != (new.row, new.totals), aged)


def campaign_frame(caller: Caller) -> Callable[[Standing], Frame]:
    """Return how a campaign is shown to this caller."""

    def show(standing: Standing) -> Frame:
        shown = campaign_row(standing.row, standing.totals, caller, detail=True)
        return Frame("campaign", standing.position, orjson.dumps(shown))

    return show
