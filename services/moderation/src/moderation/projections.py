"""The projection that keeps the queue and the senders: one stream, so one place."""

from dataclasses import dataclass

from pymongo.asynchronous.collection import AsyncCollection

from campaign_events.envelope import Events
from campaign_events.projection import Document, Projection, View, Writes
from moderation import directory, queue


def fold(events: Events) -> Writes:
    """Keep what waits for moderators, and who may be written under which name."""
    waiting, senders = queue.Waiting(), directory.Senders()
    for recorded in events:
        waiting.add(recorded)
        senders.add(recorded)
    return {queue.NAME: waiting.writes(), directory.NAME: senders.writes()}


MODERATION = Projection(
    name="moderation",
    revision=1,
    stream="CAMPAIGNS",
    fold=fold,
    collections={queue.NAME: queue.INDEXES, directory.NAME: directory.INDEXES},
)


@dataclass(frozen=True, slots=True)
class Views:
    """The collections that the projection keeps, of the generation that is live."""

    view: View

    @property
    def queue(self) -> AsyncCollection[Document]:
        """What waits for moderators."""
        return self.view[queue.NAME]

    @property
    def senders(self) -> AsyncCollection[Document]:
        """Who may be written under which name."""
        return self.view[directory.NAME]
