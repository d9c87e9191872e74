"""What a projection is: a pure fold, and the collections of the view that it keeps."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pymongo import IndexModel, UpdateOne
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.operations import DeleteMany, DeleteOne, InsertOne, ReplaceOne, UpdateMany

from campaign_events.entries import Entries, Heading
from campaign_events.envelope import Events

FIRST = 1
"""The generation that a view begins with."""

type Document = dict[str, Any]
type Database = AsyncDatabase[Document]
type Write = (
    UpdateOne | UpdateMany | DeleteOne | DeleteMany | InsertOne[Document] | ReplaceOne[Document]
)
type Writes = Mapping[str, Sequence[Write]]
"""Collection name to the writes on it, in order."""
type Told = Callable[[Entries], Awaitable[None]]
"""Is called with each batch after its commit."""
type Heard = Callable[[Sequence[Heading]], Awaitable[None]]
"""Is called with what has come into the view."""


@dataclass(frozen=True, slots=True)
class Projection:
    """A view over one stream.

    `fold` is pure: the same batch gives the same writes, whatever the clock says, and cutting
    the stream into other batches gives the same view. It goes through the events once. It names
    documents by `_id`: a view that is grown to be compared has no other indexes.

    A raised `revision` makes a new view beside the old one, from the beginning of the log.
    """

    name: str
    revision: int
    stream: str
    fold: Callable[[Events], Writes]
    collections: Mapping[str, Sequence[IndexModel]]
    subject: str = ">"
    batch: int = 1000
    rest_s: float = 0.04
    """Between two commits of a view that is up to date: what comes meanwhile is committed together,
    which is cheaper the longer it is; so much older is what readers see."""

    @property
    def id(self) -> str:
        """The name of this revision."""
        return f"{self.name}.r{self.revision}"

    def checkpoint(self, generation: int = FIRST) -> str:
        """Return the name of the checkpoint of a generation."""
        return self.id + _suffix(generation)

    def collection(self, name: str, generation: int = FIRST) -> str:
        """Return the name under which a generation of this revision keeps a collection."""
        if name not in self.collections:
            raise KeyError(f"{self.name} keeps no collection {name}")
        return f"{name}.r{self.revision}{_suffix(generation)}"


def _suffix(generation: int) -> str:
    return "" if generation == FIRST else f".g{generation}"


@dataclass(slots=True)
class View:
    """What readers see of a projection: the collections of the generation that is live.

    Ask it for a collection at each read: the next one may find another generation.
    """

    projection: Projection
    db: Database
    generation: int = FIRST

    def __getitem__(self, name: str) -> AsyncCollection[Document]:
        return self.db[self.projection.collection(name, self.generation)]
