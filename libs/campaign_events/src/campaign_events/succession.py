"""Which generation of a view is live, and what is to be done about it: one document per view.

Whoever is asked for something only writes it down here. The process that keeps the view does it,
and goes on with it after a crash.
"""

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, Self

from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from campaign_events.decider import Refused
from campaign_events.envelope import new_id
from campaign_events.projection import FIRST, Database, Document, Projection

SCRATCH = 0
"""The generation that a verification grows and drops."""
LAST_READS = timedelta(seconds=2)
"""How long a read may go on in the generation that was live when it began."""

type Kind = Literal["rebuild", "switch", "rollback", "verify"]
type State = Literal["growing", "switching", "comparing", "done", "cancelled"]

RUNNING = ("growing", "switching", "comparing")


@dataclass(frozen=True, slots=True)
class Job:
    """What is being done about a view, or was done last."""

    id: str
    kind: Kind
    generation: int
    switch: bool
    """Whether readers are to see the generation once it has caught up."""
    state: State
    began_at: datetime
    ended_at: datetime | None = None
    progress: Mapping[str, Any] | None = None
    trouble: str | None = None
    """Why the last try ended early; it is tried again."""

    @property
    def is_running(self) -> bool:
        """Tell whether something is still to be done."""
        return self.state in RUNNING


@dataclass(frozen=True, slots=True)
class Standing:
    """How it is with the generations of one view."""

    live: int = FIRST
    newest: int = FIRST
    previous: int | None = None
    switched_at: datetime | None = None
    job: Job | None = None

    @classmethod
    def of(cls, document: Document) -> Self:
        """Read the document; a view that nobody has ever rebuilt has none."""
        stated = {name: document[name] for name in cls.__slots__ if name in document}
        if stated.get("job") is not None:
            stated["job"] = Job(**stated["job"])
        return cls(**stated)


@dataclass(frozen=True, slots=True)
class Stand:
    """How it is with a view, where its live generation stands, and how often it was released.

    `released`: how often something that was parked has been dealt with.
    """

    standing: Standing
    seq: int
    released: int | None


async def stands(db: Database, projections: Sequence[Projection]) -> list[Stand]:
    """Return how it is with all of these views, in two reads however many they are."""
    these = {"_id": {"$in": [one.id for one in projections]}}
    known = {row["_id"]: row async for row in db.generations.find(these)}
    standings = [Standing.of(known.get(one.id, {})) for one in projections]
    names = [
        one.checkpoint(standing.live) for one, standing in zip(projections, standings, strict=True)
    ]
    wanted, fields = {"_id": {"$in": names}}, {"seq": 1, "released": 1}
    places = {row["_id"]: row async for row in db.checkpoints.find(wanted, fields)}
    found = [places.get(name, {}) for name in names]
    return [
        Stand(standing, int(place.get("seq", 0)), place.get("released"))
        for standing, place in zip(standings, found, strict=True)
    ]


class Succession:
    """The generations of one projection."""

    def __init__(self, db: Database, projection: Projection) -> None:
        self._db = db
        self._projection = projection
        self._mine: Document = {"_id": projection.id}

    async def standing(self) -> Standing:
        """Return how it is with them."""
        return Standing.of(await self._db.generations.find_one(self._mine) or {})

    async def place(self) -> tuple[int, int]:
        """Return the generation that is live, and where it stands."""
        (stand,) = await stands(self._db, [self._projection])
        return stand.standing.live, stand.seq

    async def places(self) -> dict[int, int]:
        """Return the generations that there are, and where each stands."""
        names = re.compile(rf"^{re.escape(self._projection.id)}(?:\.g(\d+))?$")
        places: dict[int, int] = {}
        async for row in self._db.checkpoints.find({"_id": names}, {"seq": 1}):
            number = names.fullmatch(row["_id"])
            places[int(number[1] or FIRST) if number else FIRST] = int(row["seq"])
        return {number: places[number] for number in sorted(places) if number != SCRATCH}

    async def rebuild(self, *, switch: bool) -> Standing:
        """Want a new generation, from the beginning of the log.

        Raises:
            Refused: something else is being done about the view.

        """
        newest = (await self.standing()).newest + 1
        return await self._begin("rebuild", newest, switch=switch)

    async def change(self, kind: Kind, to: int | None = None) -> Standing:
        """Want readers to see another generation: one that is named, the newest, or the former.

        Raises:
            Refused: there is none, or something else is being done about the view.

        """
        standing, places = await self.standing(), await self.places()
        others = [number for number in places if number != standing.live]
        wanted = to
        if to is None:
            wanted = standing.previous if kind == "rollback" else max(others, default=None)
        if wanted not in others:
            raise Refused(self._nothing_else(wanted, standing.live, others))
        return await self._begin(kind, wanted, switch=True)

    async def verify(self) -> Standing:
        """Want the view compared with a fold of the whole log.

        Raises:
            Refused: something else is being done about the view.

        """
        return await self._begin("verify", SCRATCH, switch=False)

    async def drop(self, number: int | None = None) -> int:
        """Remove a generation that is not live, an unfinished one too; return which it was.

        Raises:
            Refused: it is live or about to be, there is no such one, or it has to be named.

        """
        standing, places = await self.standing(), await self.places()
        under_way = [standing.job.generation] if standing.job and standing.job.is_running else []
        others = sorted({*places, *under_way} - {standing.live})
        if number is None and len(others) > 1:
            raise Refused(f"say which: there are the generations {_listed(others)}")
        wanted = number if number is not None or not others else others[0]
        if wanted is None or wanted not in others:
            raise Refused(self._nothing_else(wanted, standing.live, others))
        if wanted == standing.previous and standing.switched_at is not None:
            over = standing.switched_at + LAST_READS - datetime.now(UTC)
            await asyncio.sleep(max(over.total_seconds(), 0))
        if not await self._cancel(wanted) or (await self.standing()).live == wanted:
            raise Refused(
                f"generation {wanted} of {self._projection.name} is just being switched to"
            )
        await self.remove(wanted)
        gone = {**self._mine, "previous": wanted}
        await self._db.generations.update_one(gone, {"$set": {"previous": None}})
        return wanted

    async def remove(self, number: int) -> None:
        """Remove a generation; its checkpoint goes first, so whoever still grows it is fenced."""
        checkpoint = self._projection.checkpoint(number)
        await self._db.checkpoints.delete_one({"_id": checkpoint})
        for name in self._projection.collections:
            await self._db.drop_collection(self._projection.collection(name, number))
        await self._db.parked.delete_many({"reader": checkpoint})

    async def switched(self, before: int, after: int) -> None:
        """Write down that another generation is live from now on."""
        await self._db.generations.update_one(
            self._mine,
            {
                "$set": {"live": after, "previous": before, "switched_at": datetime.now(UTC)},
                "$max": {"newest": after},
            },
            upsert=True,
        )

    async def note(self, job: str, **facts: object) -> bool:
        """Write down how a job goes; False when it is over."""
        running = {**self._mine, "job.id": job, "job.state": {"$in": RUNNING}}
        change = {f"job.{name}": value for name, value in facts.items()}
        noted = await self._db.generations.update_one(running, {"$set": change})
        return noted.matched_count == 1

    async def _begin(self, kind: Kind, number: int, *, switch: bool) -> Standing:
        job: Document = {
            "id": new_id(),
            "kind": kind,
            "generation": number,
            "switch": switch,
            "state": "growing",
            "began_at": datetime.now(UTC),
        }
        idle = {**self._mine, "job.state": {"$nin": RUNNING}}
        change = {"$set": {"job": job}, "$max": {"newest": max(number, FIRST)}}
        try:
            found = await self._db.generations.find_one_and_update(
                idle, change, upsert=True, return_document=ReturnDocument.AFTER
            )
        except DuplicateKeyError:
            raise Refused(await self._busy()) from None
        return Standing.of(found or {})

    async def _busy(self) -> str:
        job = (await self.standing()).job
        doing = "something" if job is None else f"a {job.kind} of generation {job.generation}"
        return f"{doing} is under way: wait for its end, or drop that generation"

    async def _cancel(self, number: int) -> bool:
        """End what is being done about a generation; False when it is too late for that."""
        its_job = {**self._mine, "job.generation": number}
        stoppable = [state for state in RUNNING if state != "switching"]
        over = {"job.state": "cancelled", "job.ended_at": datetime.now(UTC)}
        await self._db.generations.update_one(
            {**its_job, "job.state": {"$in": stoppable}}, {"$set": over}
        )
        switching = {**its_job, "job.state": "switching"}
        return await self._db.generations.find_one(switching) is None

    def _nothing_else(self, wanted: int | None, live: int, others: list[int]) -> str:
        name = self._projection.name
        if wanted == live:
            return f"generation {live} of {name} is live"
        if wanted is not None:
            return f"{name} has no generation {wanted}, but {_listed([live, *others])}"
        if others:
            return f"{name} has no former generation: switch to one of {_listed(others)}"
        return f"{name} has no generation but the live one ({live}): rebuild it first"


def _listed(numbers: list[int]) -> str:
    return ", ".join(map(str, sorted(numbers)))
