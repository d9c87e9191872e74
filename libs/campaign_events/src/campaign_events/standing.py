"""How a view stands, as operators see it."""

from datetime import UTC, datetime
from typing import Any

import nats.errors
import pymongo
from pymongo.errors import PyMongoError

from campaign_events.envelope import Position, rfc3339
from campaign_events.eventlog import Unavailable
from campaign_events.projector import Projector
from campaign_events.service import Resources
from campaign_events.succession import Job

PATIENCE_S = 2.0


def placed(projector: Projector, parked: int) -> dict[str, Any]:
    """Return where a view stands, without asking anybody."""
    projection = projector.projection
    return {
        "name": projection.name,
        "stream": projection.stream,
        "subject": projection.subject,
        "seq": projector.seq,
        "parked": parked,
    }


async def described(projector: Projector, resources: Resources) -> dict[str, Any]:
    """Return how a view stands; what MongoDB would have to tell is null while it is away."""
    projection = projector.projection
    lag, lag_s = await _lag(projector, resources)
    told: dict[str, Any] = {"generations": None, "parked": None, "skipped": None, "job": None}
    try:
        with pymongo.timeout(PATIENCE_S):
            told = await _stored(projector)
    except PyMongoError:
        told["state"] = "unknown"
    return {
        "name": f"{resources.name}.{projection.name}",
        "service": resources.name,
        "projection": projection.name,
        "revision": projection.revision,
        "stream": projection.stream,
        "position": str(Position.of(projection.stream, projector.seq)),
        "lag": lag,
        "lag_s": lag_s,
        "generation": projector.view.generation,
        "state": "catching_up" if lag is not None and lag > projection.batch else "live",
        **told,
    }


async def _lag(projector: Projector, resources: Resources) -> tuple[int | None, float | None]:
    """Return how many entries the view is behind, and for how long the first of them has waited."""
    projection, seq = projector.projection, projector.seq
    try:
        end = await resources.log.last_seq(projection.stream, projection.subject)
        if end <= seq:
            return 0, 0.0
        since = await resources.log.stored_at(projection.stream, seq + 1, projection.subject)
    except (Unavailable, nats.errors.Error):
        return None, None
    age = 0.0 if since is None else (datetime.now(UTC) - since).total_seconds()
    return end - seq, round(max(age, 0.0), 3)


async def _stored(projector: Projector) -> dict[str, Any]:
    standing, places = await projector.succession.standing(), await projector.succession.places()
    parked = 0
    reader = projector.projection.checkpoint(standing.live)
    async for row in projector.db.parked.find({"reader": reader}, {"waiting": 1}):
        parked += 1 + row["waiting"]
    stream = projector.projection.stream
    generations = [
        {
            "generation": number,
            "position": str(Position.of(stream, seq)),
            "live": number == standing.live,
            "previous": number == standing.previous,
        }
        for number, seq in places.items()
    ]
    skipped = await _skipped(projector, reader)
    told: dict[str, Any] = {
        "generations": generations,
        "parked": parked,
        "skipped": skipped,
        "job": None,
    }
    if standing.job is not None:
        told["job"] = _job(standing.job)
        if standing.job.is_running:
            told["state"] = standing.job.state
    return told


async def _skipped(projector: Projector, checkpoint: str) -> dict[str, int]:
    """Return how many events of types from the future the view has gone without, by type."""
    found = await projector.db.checkpoints.find_one({"_id": checkpoint}, {"unknown": 1}) or {}
    counts: dict[str, Any] = found.get("unknown", {})
    return {
        name if fact is None else f"{name}.{fact}": number
        for name, facts in counts.items()
        for fact, number in (facts.items() if isinstance(facts, dict) else ((None, facts),))
    }


def _job(job: Job) -> dict[str, Any]:
    return {
        "id": job.id,
        "kind": job.kind,
        "generation": job.generation,
        "switch": job.switch,
        "state": job.state,
        "began_at": rfc3339(job.began_at),
        "ended_at": None if job.ended_at is None else rfc3339(job.ended_at),
        "progress": job.progress,
        "trouble": job.trouble,
    }
