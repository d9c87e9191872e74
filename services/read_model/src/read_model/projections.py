"""The projections that keep all views: each of one stream, so nothing depends on how they mix."""

from dataclasses import dataclass

from pymongo.asynchronous.collection import AsyncCollection

from campaign_events.envelope import Events
from campaign_events.projection import Document, Projection, View, Writes
from read_model.views import (
    activity,
    campaigns,
    delivery,
    funnel,
    history,
    pulse,
    runs,
    top_authors,
)
from read_model.views.moves import STILL, move

COUNTERS = "message_counters"
"""Of campaigns, of seconds and of hours, side by side: so one command writes all that a batch of
messages changes. There are many batches a second, and what each costs is its commands."""


def fold_campaigns(events: Events) -> Writes:
    """Keep rows, counts per status, and authors."""
    rows, counts, authors = campaigns.Rows(), funnel.Counts(), top_authors.Authors()
    for recorded in events:
        rows.add(recorded)
        counts.add(recorded)
        authors.add(recorded)
    return {
        campaigns.NAME: rows.writes(),
        funnel.NAME: counts.writes(),
        top_authors.NAME: authors.writes(),
    }


def fold_history(events: Events) -> Writes:
    """Keep what happened to each campaign: a document for every event, apart from the rows."""
    return {history.NAME: history.fold(events)}


def fold_messages(events: Events) -> Writes:
    """Keep the counters of each campaign, second and hour."""
    totals, seconds, hours = delivery.Campaigns(), pulse.Seconds(), activity.Hours("sms")
    for recorded in events:
        moved = move(recorded.event)
        if moved != STILL:
            totals.add(recorded, moved)
            seconds.add(recorded, moved)
            hours.add(recorded, moved)
    return {COUNTERS: [*totals.writes(), *seconds.writes(), *hours.writes()]}


def fold_calls(events: Events) -> Writes:
    """Keep the counters of each run, and of each hour."""
    totals, hours = runs.Runs(), activity.Hours("voice")
    for recorded in events:
        totals.add(recorded)
        hours.add_calls(recorded)
    return {runs.NAME: totals.writes(), activity.CALLS: hours.writes()}


CAMPAIGNS = Projection(
    name="campaigns",
    revision=1,
    stream="CAMPAIGNS",
    fold=fold_campaigns,
    collections={
        campaigns.NAME: campaigns.INDEXES,
        funnel.NAME: (),
        top_authors.NAME: top_authors.INDEXES,
    },
    batch=8000,  # a campaign whose events lie close together costs one write for all of them
)
HISTORY = Projection(
    name="history",
    revision=1,
    stream="CAMPAIGNS",
    fold=fold_history,
    collections={history.NAME: history.INDEXES},
    batch=8000,  # a commit costs as much as a hundred of its documents
)
MESSAGES = Projection(
    name="messages",
    revision=2,
    stream="MESSAGES",
    fold=fold_messages,
    collections={COUNTERS: (*pulse.INDEXES, *activity.INDEXES)},
    rest_s=0.06,
    batch=500,  # an entry may speak of 500 messages: no more than this may be in memory at once
)
CALLS = Projection(
    name="calls",
    revision=1,
    stream="CALLS",
    fold=fold_calls,
    collections={runs.NAME: (), activity.CALLS: activity.INDEXES},
    batch=500,
)


@dataclass(frozen=True, slots=True)
class Views:
    """The collections that the projections keep, of the generations that are live when asked."""

    of_campaigns: View
    of_history: View
    of_messages: View
    of_calls: View

    @property
    def campaigns(self) -> AsyncCollection[Document]:
        """A row for each campaign."""
        return self.of_campaigns[campaigns.NAME]

    @property
    def funnels(self) -> AsyncCollection[Document]:
        """How many campaigns of a workspace are in each status."""
        return self.of_campaigns[funnel.NAME]

    @property
    def authors(self) -> AsyncCollection[Document]:
        """Who has created campaigns."""
        return self.of_campaigns[top_authors.NAME]

    @property
    def history(self) -> AsyncCollection[Document]:
        """What happened to campaigns."""
        return self.of_history[history.NAME]

    @property
    def counters(self) -> AsyncCollection[Document]:
        """What became of messages: in each SMS campaign, in each second and in each hour."""
        return self.of_messages[COUNTERS]

    @property
    def runs(self) -> AsyncCollection[Document]:
        """The counters of each run of a voice campaign."""
        return self.of_calls[runs.NAME]

    @property
    def call_hours(self) -> AsyncCollection[Document]:
        """What was answered and what failed in each hour."""
        return self.of_calls[activity.CALLS]
