"""A view compared with a fold of the whole log of its own, document by document.

Both are read as they were at one moment: MongoDB keeps what it held for some minutes, so the view
is read in stretches of less, and the other fold goes on to where the view stood at each.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import bson
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from pymongo import ASCENDING, IndexModel
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.collection import AsyncCollection

from campaign_events.generation import Generation
from campaign_events.projection import Document, Told
from campaign_events.succession import SCRATCH, Succession

PIECE = 1000
"""Documents compared at a time."""
STRETCH_S = 60.0
"""How long a snapshot is read: well below the five minutes that MongoDB keeps."""
MOST_TOLD = 500
LONGEST = 200

_RAW: CodecOptions[RawBSONDocument] = CodecOptions(document_class=RawBSONDocument)
_READ: CodecOptions[dict[str, Any]] = CodecOptions(tz_aware=True)


@dataclass(frozen=True, slots=True)
class Difference:
    """One field of one document; what is not there is null."""

    collection: str
    id: str
    field: str
    stored: str | None
    folded: str | None


@dataclass(slots=True)
class Findings:
    """What a comparison has come to."""

    generation: int = 0
    position: int = 0
    documents: int = 0
    differing: int = 0
    differences: list[Difference] = field(default_factory=list)


class Verification:
    """Grows a scratch generation to where the live one stands, and compares the two."""

    def __init__(self, succession: Succession, scratch: Generation) -> None:
        self._succession = succession
        self._scratch = scratch
        self._found = Findings()

    async def prepare(self) -> int:
        """Begin with nothing; return where the live generation stands."""
        await self._succession.remove(SCRATCH)
        await self._scratch.open()
        _, place = await self._succession.place()
        return place

    async def compare(self, tell: Told) -> Findings:
        """Return in what the live generation differs, as it stands by now.

        The scratch generation, which should not be far from there, is gone afterwards.
        """
        live, _ = await self._succession.place()
        for name, indexes in self._scratch.projection.collections.items():
            await self._compare(name, live, _expiries(indexes), tell)
        self._found.generation, self._found.position = live, self._scratch.seq
        await self._succession.remove(SCRATCH)
        return self._found

    async def _compare(
        self, name: str, live: int, expiries: Mapping[str, timedelta], tell: Told
    ) -> None:
        """Compare one collection, in as many stretches as it takes."""
        after: Any = bson.MinKey()
        while after is not None:
            async with self._scratch.db.client.start_session(snapshot=True) as moment:
                checkpoint = {"_id": self._scratch.projection.checkpoint(live)}
                found = await self._scratch.db.checkpoints.find_one(checkpoint, session=moment)
                await self._scratch.follow(tell, end=(found or {"seq": 0})["seq"])
                until = time.monotonic() + STRETCH_S
                while after is not None and time.monotonic() < until:
                    after = await self._piece(name, live, after, moment, expiries)

    async def _piece(
        self,
        name: str,
        live: int,
        after: Any,  # noqa: ANN401 - ids are of any type
        moment: AsyncClientSession,
        expiries: Mapping[str, timedelta],
    ) -> Any:  # noqa: ANN401
        """Compare the next documents by id; return the last id, or None when there are no more."""
        span: Document = {"_id": {"$gt": after}}
        found = self._collection(name, live).find(span, session=moment).sort("_id", ASCENDING)
        stored = await found.limit(PIECE).to_list()
        last = stored[-1]["_id"] if len(stored) == PIECE else None
        if last is not None:
            span["_id"]["$lte"] = last
        folded = await self._collection(name, SCRATCH).find(span).to_list()
        self._found.documents += len(stored)
        ours, theirs = _by_id(stored), _by_id(folded)
        for id_ in [*ours, *(theirs.keys() - ours.keys())]:
            if ours.get(id_) != theirs.get(id_):
                self._judge(name, ours.get(id_), theirs.get(id_), expiries)
        return last

    def _collection(self, name: str, number: int) -> AsyncCollection[Any]:
        collection = self._scratch.projection.collection(name, number)
        return self._scratch.db[collection].with_options(codec_options=_RAW)

    def _judge(
        self,
        name: str,
        stored: bytes | None,
        folded: bytes | None,
        expiries: Mapping[str, timedelta],
    ) -> None:
        """Take down in what two documents differ, if they do to who reads them."""
        kept: Document = {} if stored is None else bson.decode(stored, _READ)
        told: Document = {} if folded is None else bson.decode(folded, _READ)
        if seen(kept) == seen(told) or _has_expired(kept or told, expiries):
            return
        self._found.differing += 1
        room = MOST_TOLD - len(self._found.differences)
        id_ = _words((kept or told)["_id"]) or ""
        unlike = _unlike(kept, told) if kept and told else [("*", kept or None, told or None)]
        for path, ours, theirs in list(unlike)[: max(room, 0)]:
            self._found.differences.append(
                Difference(name, id_, path, _words(ours), _words(theirs))
            )


def seen(value: Any) -> Any:  # noqa: ANN401 - any value of a document
    """Return what a reader sees: a count of nothing is no different from no count."""
    if not isinstance(value, dict):
        return value
    shown = {name: seen(part) for name, part in value.items()}
    return {name: part for name, part in shown.items() if part is False or part not in (0, {})}


def _unlike(stored: Document, folded: Document, within: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Yield the fields that differ, with both values."""
    shown, told = seen(stored), seen(folded)
    for name in sorted(shown.keys() | told.keys()):
        if name in shown and name in told and shown[name] == told[name]:
            continue
        ours, theirs = stored.get(name), folded.get(name)
        if isinstance(ours, dict) and isinstance(theirs, dict):
            yield from _unlike(ours, theirs, f"{within}{name}.")
        else:
            yield f"{within}{name}", ours, theirs


def _words(value: object) -> str | None:
    if value is None:
        return None
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def _by_id(documents: Sequence[RawBSONDocument]) -> dict[bytes, bytes]:
    return {bson.encode({"_id": document["_id"]}): bytes(document.raw) for document in documents}


def _expiries(indexes: Sequence[IndexModel]) -> dict[str, timedelta]:
    """Return after what time MongoDB forgets documents, by the field that tells their age."""
    return {
        next(iter(index.document["key"])): timedelta(seconds=index.document["expireAfterSeconds"])
        for index in indexes
        if "expireAfterSeconds" in index.document
    }


def _has_expired(document: Document, expiries: Mapping[str, timedelta]) -> bool:
    now = datetime.now(UTC)
    return any(
        isinstance(document.get(name), datetime) and document[name] + kept <= now
        for name, kept in expiries.items()
    )
