"""What `/ops/projections` answers, for `/openapi.json`."""

from datetime import datetime
from typing import Literal

from campaign_events.answers import Answer, Items


class BuildProgress(Answer):
    """How far a build is in the log, and how many entries a second it takes in."""

    pid: int
    position: int
    target: int
    events_per_s: int


class ProjectionJob(Answer):
    """What is being done about a projection, or was done last.

    `trouble` says why its last try ended early; it is tried again by itself.
    """

    id: str
    kind: Literal["rebuild", "switch", "rollback", "verify"]
    generation: int
    switch: bool
    state: Literal["growing", "switching", "comparing", "done", "cancelled"]
    began_at: datetime
    ended_at: datetime | None
    progress: BuildProgress | None
    trouble: str | None


class GenerationPlace(Answer):
    """One growth of a view. `previous`: readers saw it before the live one."""

    generation: int
    position: str
    live: bool
    previous: bool


class KeptProjection(Answer):
    """How a projection stands; null is what nobody can tell while MongoDB or the log is away.

    `skipped` counts, by type, events of a newer version that it went without: rebuild it after the
    update.
    """

    name: str
    service: str
    projection: str
    revision: int
    stream: str
    position: str
    lag: int | None
    lag_s: float | None
    parked: int | None
    skipped: dict[str, int] | None
    state: Literal["live", "catching_up", "growing", "switching", "comparing", "unknown"]
    generation: int
    generations: list[GenerationPlace] | None
    job: ProjectionJob | None


class KeptProjections(Items[KeptProjection]):
    """All projections; `unanswered` are the services that do not say."""

    unanswered: list[str]


class DroppedGeneration(KeptProjection):
    """The projection without that generation."""

    dropped: int


class Unlike(Answer):
    """A field of a document that differs; `*` is all of a document that only one side has."""

    collection: str
    id: str
    field: str
    stored: str | None
    folded: str | None


class Verified(Answer):
    """What the last comparison of a view with a fold of the whole log has found.

    `differences` are the first 500 fields that differ, for super admins: they may be of any
    workspace.
    """

    job: str
    at: datetime
    generation: int
    position: int
    documents: int
    differing: int
    differences: list[Unlike]
