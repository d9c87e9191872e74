"""The projections that keep all views: each of one stream, so nothing depends on how they mix."""

from dataclasses import dataclass
from typing import Self

from pymongo.asynchronous.collection import AsyncCollection

from campaign_events.envelope import Batch
from campaign_events.projection import Database, Document, Projection, Writes
from read_model.views import (
    activity,
    call_moves,
    campaigns,
    delivery,
    funnel,
    history,
    pulse,
    runs,
    top_authors,
)
from read_model.views.moves import moves


def fold_campaigns(batch: Batch) -> Writes:
    """Keep rows, counts per status, and authors."""
    return {
        campaigns.NAME: campaigns.fold(batch),
        funnel.NAME: funnel.fold(batch),
        top_authors.NAME: top_authors.fold(batch),
    }


def fold_history(batch: Batch) -> Writes:
    """Keep what happened to each campaign: a document for every event, apart from the rows."""
    return {history.NAME: history.fold(batch)}


def fold_messages(batch: Batch) -> Writes:
    """Keep the counters of each campaign, second and hour."""
    moved = list(moves(batch))
    return {
        delivery.NAME: delivery.fold(moved),
        pulse.NAME: pulse.fold(moved),
        activity.NAME: activity.fold(moved),
    }


def fold_calls(batch: Batch) -> Writes:
    """Keep the counters of each run, and of each hour."""
    return {
        runs.NAME: runs.fold(call_moves.moves(batch)),
        activity.CALLS: activity.fold_calls(batch),
    }


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
    batch=4000,  # a campaign whose events lie close together costs one write for all of them
)
HISTORY = Projection(
    name="history",
    revision=1,
    stream="CAMPAIGNS",
    fold=fold_history,
    collections={history.NAME: history.INDEXES},
)
MESSAGES = Projection(
    name="messages",
    revision=1,
    stream="MESSAGES",
    fold=fold_messages,
    collections={
        delivery.NAME: (),
        pulse.NAME: pulse.INDEXES,
        activity.NAME: activity.INDEXES,
    },
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
    """The collections that the projections keep."""

    campaigns: AsyncCollection[Document]
    funnels: AsyncCollection[Document]
    authors: AsyncCollection[Document]
    totals: AsyncCollection[Document]
    seconds: AsyncCollection[Document]
    hours: AsyncCollection[Document]
    history: AsyncCollection[Document]
    runs: AsyncCollection[Document]
    call_hours: AsyncCollection[Document]

    @classmethod
    def of(cls, db: Database) -> Self:
        """Return the views in a database, each in its projection's revision."""
        return cls(
            campaigns=db[CAMPAIGNS.collection(campaigns.NAME)],
            funnels=db[CAMPAIGNS.collection(funnel.NAME)],
            authors=db[CAMPAIGNS.collection(top_authors.NAME)],
            totals=db[MESSAGES.collection(delivery.NAME)],
            seconds=db[MESSAGES.collection(pulse.NAME)],
            hours=db[MESSAGES.collection(activity.NAME)],
            history=db[HISTORY.collection(history.NAME)],
            runs=db[CALLS.collection(runs.NAME)],
            call_hours=db[CALLS.collection(activity.CALLS)],
        )
