"""How one campaign stands: its row, its counters, and what the dialler sees of it right now."""

from dataclasses import dataclass
from typing import Any

from campaign_events.access import Caller
from campaign_events.presentation import campaign as campaign_row
from campaign_events.projection import Document
from campaign_events.voice import VOICE_ACTIVE
from campaign_events.voice_presentation import progress, run_number
from read_model.dialler import Dialler, Live
from read_model.projections import Views
from read_model.views import campaigns, numbers


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of one campaign in one run; what is shown of it depends on who looks."""

    row: Document
    totals: numbers.Totals
    run: int
    live: Live | None

    @property
    def is_live(self) -> bool:
        """Tell whether the dialler may have something to say about it."""
        return _is_live(self.row, self.totals)

    @property
    def is_ahead(self) -> bool:
        """Tell whether the campaign is done, but not all of its messages: they come any moment.

        Unless nobody waits for their reports any more.
        """
        on_their_way: int = self.totals.get("submitting", 0) + self.totals.get("submitted", 0)
        return bool(self.row["status"] == "done") and on_their_way > 0

    def shown(self, caller: Caller) -> dict[str, Any]:
        """Return the campaign with every setting, and the numbers of the run that was asked for."""
        shown = campaign_row(self.row, self.totals, caller, detail=True)
        if self.row["channel"] != "voice":
            return shown
        if self.run != run_number(self.row):
            shown["progress"] = progress("completed", self.totals)
        return shown | {"run": self.run, "live": self.live}


async def standing(
    views: Views, dialler: Dialler, workspace: str, campaign_id: str, run: int | None = None
) -> Standing | None:
    """Return how a campaign of this workspace stands; None when there is none, or no such run."""
    row = await campaigns.one(views.campaigns, workspace, campaign_id)
    if row is None or (run or 1) > run_number(row):
        return None
    totals = (await numbers.of(views.counters, views.runs, [row], run)).get(campaign_id, {})
    shown, live = run or run_number(row), None
    if shown == run_number(row) and _is_live(row, totals):
        live = await dialler.live(workspace, campaign_id)
    return Standing(row, totals, shown, live)


def _is_live(row: Document, totals: numbers.Totals) -> bool:
    is_active = row["status"] in VOICE_ACTIVE or totals.get("live", 0) > 0
    return row["channel"] == "voice" and is_active
