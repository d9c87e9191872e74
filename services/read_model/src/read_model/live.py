"""The two questions that pages watch: a workspace's overview, and one campaign."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from campaign_events.access import Caller
from campaign_events.envelope import Position
from campaign_events.projector import Projector
from read_model.dialler import Dialler
from read_model.feed import Question
from read_model.overview import Overview
from read_model.projections import Views
from read_model.standing import Standing, standing
from read_model.streams import Frame, Key

LOOKS = 4
LOOK_S = 0.04
"""Between two commits of a view: a campaign's end may be seen before its last messages, which are
in another view. A page that was told of the end alone would hear of them half a second later."""


@dataclass(frozen=True, slots=True)
class Page:
    """An overview as all its watchers see it, ready to be sent."""

    parts: Mapping[str, Any]
    frame: Frame


@dataclass(frozen=True, slots=True)
class Placed:
    """How a campaign stands, and what the views held at least when that was read."""

    standing: Standing
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
        whole = await overview.whole(workspace)
        return Page(whole.parts, Frame("overview", position, whole.encoded))

    async def aged(page: Page) -> bool:
        pulse = page.parts["pulse"]
        if pulse["delivered"] or page.parts["delivery"]["state"] == "loading":
            return True
        return (await overview.core.health()).status != str(pulse["core"])

    return Question(read, lambda old, new: _visible(old.parts) != _visible(new.parts), aged)


def _visible(parts: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a person sees change: not the clock, and of diagnostics how each thing stands."""
    shown = dict(parts)
    seen = parts["diagnostics"]
    shown["diagnostics"] = {
        **seen,
        "core_api": seen["core_api"]["status"],
        "audit": seen["audit"]["fallback"],
        "projections": [(view["name"], view["parked"]) for view in seen["projections"]],
    }
    shown["pulse"] = {name: part for name, part in parts["pulse"].items() if name != "as_of"}
    return shown


def campaign_question(
    views: Views, dialler: Dialler, projectors: Sequence[Projector], key: Key
) -> Question[Placed]:
    """Ask how one campaign stands; while calls may be live, time alone changes the answer."""

    async def read() -> Placed | None:
        for _ in range(LOOKS):
            position = place(projectors)
            found = await standing(views, dialler, key.workspace, key.campaign or "")
            if found is None or not found.is_ahead:
                break
            await asyncio.sleep(LOOK_S)
        return None if found is None else Placed(found, position)

    async def aged(placed: Placed) -> bool:
        return placed.standing.is_live

    return Question(read, lambda old, new: old.standing != new.standing, aged)


def campaign_frame(caller: Caller) -> Callable[[Placed], Frame]:
    """Return how a campaign is shown to this caller."""

    def show(placed: Placed) -> Frame:
        shown = placed.standing.shown(caller)
        return Frame("campaign", placed.position, orjson.dumps(shown))

    return show
