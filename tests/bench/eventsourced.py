"""The same campaign in pyeventsourcing: an aggregate, its application, and callers as threads.

As its documentation has it: the decorator style, the default transcoder, no snapshots. Aggregates
are cached and believed until a version conflicts: ours remembers histories in the same way.
"""

# ruff: noqa: ARG002 - the parameters of a method are the fields of its event

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib.metadata import version
from itertools import repeat
from pathlib import Path
from typing import Any
from uuid import UUID

from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event
from eventsourcing.persistence import InfrastructureFactory
from eventsourcing.sqlite import SQLiteCursor, SQLiteFactory

type Env = Mapping[str, str]

FULL = 2
"""What SQLite calls `synchronous=FULL`."""
CACHED = {"AGGREGATE_CACHE_MAXSIZE": "1000", "AGGREGATE_CACHE_FASTFORWARD": "n"}
NAME = f"pyeventsourcing {version('eventsourcing')}"


class Illegal(Exception):
    """The campaign is not where this decision is possible."""


class Campaign(Aggregate):
    """A campaign with the fields of ours; each method decides, then records one event."""

    @event("Created")
    def __init__(self, settings: dict[str, Any], author: dict[str, str]) -> None:
        self.settings = settings
        self.author = author
        self.status = "new"
        self.audience: str | None = None
        self.accepted = 0

    def note_upload(self, audience: str, counts: dict[str, int], by: dict[str, str]) -> None:
        self._must_be("new")
        self._uploaded(audience, **counts, by=by)

    @event("ContactsUploaded")
    def _uploaded(  # noqa: PLR0917 - an event has as many fields as it has
        self,
        audience: str,
        accepted: int,
        invalid: int,
        duplicate: int,
        suppressed: int,
        by: dict[str, str],
    ) -> None:
        self.audience, self.accepted = audience, accepted

    def approve(self, by: dict[str, str]) -> None:
        self._must_be("new")
        self._approved(was=self.status, by=by, note=None)

    @event("Approved")
    def _approved(self, was: str, by: dict[str, str], note: str | None) -> None:
        self.status = "building"

    def mark_built(self, queued: int, skipped: int, segments: int) -> None:
        self._must_be("building")
        self._built(was=self.status, queued=queued, skipped=skipped, segments=segments)

    @event("Built")
    def _built(self, was: str, queued: int, skipped: int, segments: int) -> None:
        self.status = "pending"

    def start(self) -> None:
        self._must_be("pending")
        self._started(was=self.status, by=None, until=None)

    @event("Started")
    def _started(self, was: str, by: str | None, until: str | None) -> None:
        self.status = "sending"

    def complete(self) -> None:
        self._must_be("sending")
        self._completed(was=self.status)

    @event("Completed")
    def _completed(self, was: str) -> None:
        self.status = "done"

    def _must_be(self, status: str) -> None:
        if self.status != status:
            raise Illegal(self.status)


class Campaigns(Application[UUID]):
    """Decisions on campaigns: load, decide, append behind the version that was loaded."""

    def create(self, settings: dict[str, Any], author: dict[str, str]) -> UUID:
        campaign = Campaign(settings=settings, author=author)
        self.save(campaign)
        return campaign.id

    def note_upload(
        self, campaign_id: UUID, audience: str, counts: dict[str, int], by: dict[str, str]
    ) -> None:
        campaign = self._get(campaign_id)
        campaign.note_upload(audience, counts, by)
        self.save(campaign)

    def approve(self, campaign_id: UUID, by: dict[str, str]) -> None:
        campaign = self._get(campaign_id)
        campaign.approve(by)
        self.save(campaign)

    def mark_built(self, campaign_id: UUID, queued: int, skipped: int, segments: int) -> None:
        campaign = self._get(campaign_id)
        campaign.mark_built(queued, skipped, segments)
        self.save(campaign)

    def start(self, campaign_id: UUID) -> None:
        campaign = self._get(campaign_id)
        campaign.start()
        self.save(campaign)

    def complete(self, campaign_id: UUID) -> None:
        campaign = self._get(campaign_id)
        campaign.complete()
        self.save(campaign)

    def _get(self, campaign_id: UUID) -> Campaign:
        campaign: Campaign = self.repository.get(campaign_id)
        return campaign


@contextmanager
def in_sqlite(file: Path) -> Iterator[Campaigns]:
    """The application over a file, in write-ahead mode as the library sets it, synchronous=FULL."""
    env = {
        **CACHED,
        "PERSISTENCE_MODULE": "eventsourcing.sqlite",
        "SQLITE_DBNAME": str(file),
    }
    with Campaigns(env=env) as application:
        yield application
        _must_be_durable(application.factory)


def _must_be_durable(factory: InfrastructureFactory[Any]) -> None:
    assert isinstance(factory, SQLiteFactory)
    with factory.datastore.transaction(commit=False) as cursor:
        level, mode = (_pragma(cursor, name) for name in ("synchronous", "journal_mode"))
    assert (level, mode) == (FULL, "wal"), (level, mode)


def _pragma(cursor: SQLiteCursor, name: str) -> Any:
    cursor.execute(f"PRAGMA {name}")
    return cursor.fetchone()[0]


@contextmanager
def in_postgres(server: Env, callers: int) -> Iterator[Campaigns]:
    """The application over PostgreSQL, with a connection for each caller."""
    env = {
        **server,
        **CACHED,
        "PERSISTENCE_MODULE": "eventsourcing.postgres",
        "POSTGRES_POOL_SIZE": str(callers),
        "POSTGRES_ENABLE_DB_FUNCTIONS": "yes",
    }
    with Campaigns(env=env) as application:
        yield application


def decide(application: Campaigns, campaigns: int, callers: int, life: "Life") -> None:
    """Lead so many campaigns through their lives, each caller one after the other."""
    with ThreadPoolExecutor(callers) as pool:
        list(pool.map(_lead, repeat(application, campaigns), repeat(life)))


def _lead(application: Campaigns, life: "Life") -> None:
    campaign_id = application.create(life["settings"], life["by"])
    application.note_upload(campaign_id, life["audience"], life["counts"], life["by"])
    application.approve(campaign_id, life["by"])
    application.mark_built(campaign_id, **life["built"])
    application.start(campaign_id)
    application.complete(campaign_id)


type Life = Mapping[str, Any]
