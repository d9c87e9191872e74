"""pyeventsourcing's projections into PostgreSQL: the views of ours, one event a transaction.

As its documentation has it: a `Projection` run by a `ProjectionRunner`, whose view is a
`PostgresTrackingRecorder` that writes its row and its place in one transaction.
"""

# ruff: noqa: ARG002 - the parameters of a method are the fields of its event

import time
from collections.abc import Sequence
from itertools import count
from typing import Any
from uuid import UUID

from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event
from eventsourcing.persistence import Tracking
from eventsourcing.postgres import PostgresDatastore, PostgresTrackingRecorder
from eventsourcing.projection import Projection, ProjectionRunner
from psycopg.sql import SQL, Identifier
from psycopg.types.json import Jsonb

from bench import eventsourced
from bench.eventsourced import Campaign, Campaigns, Env, Life

AT_ONCE = 250
"""Aggregates that are saved together, while the log is filled."""
PATIENCE_S = 120
LOOK_S = 0.02
_runs = count(1)


class Message(Aggregate):
    """A message with four facts, each of them an event."""

    @event("Planned")
    def __init__(self, campaign: str, number: int, segments: int) -> None:
        self.campaign, self.number, self.segments = campaign, number, segments

    @event("Taken")
    def take(self, campaign: str, number: int, link: str) -> None:
        self.link = link

    @event("Submitted")
    def submit(self, campaign: str, number: int, link: str, carrier_ids: list[str]) -> None:
        self.carrier_ids = carrier_ids

    @event("Reported")
    def report(self, campaign: str, number: int, link: str, status: str) -> None:
        self.status = status


class Messages(Application[UUID]):
    """Keeps messages."""

    def fill(self, campaigns: Sequence[str], facts: int) -> int:
        """Append four facts about each of many messages; return the place of the last."""
        last = 0
        per_campaign = facts // 4 // len(campaigns)
        for campaign in campaigns:
            for first in range(1, per_campaign + 1, AT_ONCE):
                numbers = range(first, min(first + AT_ONCE, per_campaign + 1))
                saved = self.save(*(_whole(campaign, number) for number in numbers))
                last = saved[-1].notification.id
        return last


def _whole(campaign: str, number: int) -> Message:
    message = Message(campaign=campaign, number=number, segments=1)
    message.take(campaign=campaign, number=number, link="bench")
    ids = [f"{campaign[-6:]}{number:x}"]
    message.submit(campaign=campaign, number=number, link="bench", carrier_ids=ids)
    message.report(campaign=campaign, number=number, link="bench", status="delivered")
    return message


def fill_campaigns(application: Campaigns, campaigns: int, life: Life) -> int:
    """Append the six events of so many campaigns; return the place of the last."""
    last = 0
    for first in range(0, campaigns, AT_ONCE):
        some = range(first, min(first + AT_ONCE, campaigns))
        saved = application.save(*(_led(life) for _ in some))
        last = saved[-1].notification.id
    return last


def _led(life: Life) -> Campaign:
    campaign = Campaign(settings=life["settings"], author=life["by"])
    campaign.note_upload(life["audience"], life["counts"], life["by"])
    campaign.approve(life["by"])
    campaign.mark_built(**life["built"])
    campaign.start()
    campaign.complete()
    return campaign


class _View(PostgresTrackingRecorder):
    """Rows of one table, changed in the transaction that moves the place."""

    columns = ""
    change = ""

    def __init__(self, datastore: PostgresDatastore, **names: Any) -> None:
        super().__init__(datastore, **names)
        table = Identifier(datastore.schema, f"{self.tracking_table_name}_rows")
        create = SQL(f"CREATE TABLE IF NOT EXISTS {{}} ({self.columns})")
        self.sql_create_statements.append(create.format(table))
        self._change = SQL(self.change).format(table=table)

    def put(self, values: dict[str, Any], tracking: Tracking) -> None:
        with self.datastore.transaction(commit=True) as cursor:
            self._insert_tracking(cursor, tracking)
            cursor.execute(self._change, values, prepare=True)


class MessageRows(_View):
    columns = """
        id uuid PRIMARY KEY, campaign text, number integer, status text, link text,
        segments integer, carrier_ids text[], changed_at timestamptz"""
    change = """
        INSERT INTO {table} AS row VALUES (
            %(id)s, %(campaign)s, %(number)s, %(status)s, %(link)s, %(segments)s, %(carrier_ids)s,
            %(at)s)
        ON CONFLICT (id) DO UPDATE SET
            status = excluded.status, changed_at = excluded.changed_at,
            link = coalesce(excluded.link, row.link),
            carrier_ids = coalesce(excluded.carrier_ids, row.carrier_ids)"""


class Counters(_View):
    columns = """
        campaign text PRIMARY KEY, queued bigint, submitting bigint, submitted bigint,
        delivered bigint"""
    change = """
        INSERT INTO {table} AS row VALUES (
            %(campaign)s, %(queued)s, %(submitting)s, %(submitted)s, %(delivered)s)
        ON CONFLICT (campaign) DO UPDATE SET
            queued = row.queued + excluded.queued,
            submitting = row.submitting + excluded.submitting,
            submitted = row.submitted + excluded.submitted,
            delivered = row.delivered + excluded.delivered"""


class CampaignRows(_View):
    columns = """
        id uuid PRIMARY KEY, status text, settings jsonb, author jsonb, contacts jsonb,
        created_at timestamptz"""
    change = """
        INSERT INTO {table} AS row VALUES (
            %(id)s, %(status)s, %(settings)s, %(author)s, %(contacts)s, %(at)s)
        ON CONFLICT (id) DO UPDATE SET
            status = excluded.status, contacts = coalesce(excluded.contacts, row.contacts)"""


STATUSES = {
    "Planned": "queued",
    "Taken": "submitting",
    "Submitted": "submitted",
    "Reported": "delivered",
}
MOVES = {
    "Planned": {"queued": 1},
    "Taken": {"queued": -1, "submitting": 1},
    "Submitted": {"submitting": -1, "submitted": 1},
    "Reported": {"submitted": -1, "delivered": 1},
}
STILL = dict.fromkeys(STATUSES.values(), 0)
CAMPAIGN_STATUSES = {
    "Created": "new",
    "ContactsUploaded": "new",
    "Approved": "building",
    "Built": "pending",
    "Started": "sending",
    "Completed": "done",
}


class OfMessages(Projection[MessageRows]):
    def process_event(self, domain_event: Any, tracking: Tracking) -> None:
        values = {
            "id": domain_event.originator_id,
            "campaign": domain_event.campaign,
            "number": domain_event.number,
            "status": STATUSES[type(domain_event).__name__],
            "link": getattr(domain_event, "link", None),
            "segments": getattr(domain_event, "segments", None),
            "carrier_ids": getattr(domain_event, "carrier_ids", None),
            "at": domain_event.timestamp,
        }
        self.view.put(values, tracking)


class OfCounters(Projection[Counters]):
    def process_event(self, domain_event: Any, tracking: Tracking) -> None:
        moves = {**STILL, **MOVES[type(domain_event).__name__]}
        self.view.put({"campaign": domain_event.campaign, **moves}, tracking)


class OfCampaigns(Projection[CampaignRows]):
    def process_event(self, domain_event: Any, tracking: Tracking) -> None:
        kind = type(domain_event).__name__
        made, filled = kind == "Created", kind == "ContactsUploaded"
        counts = ("accepted", "invalid", "duplicate", "suppressed")
        contacts = Jsonb({name: getattr(domain_event, name) for name in counts}) if filled else None
        values = {
            "id": domain_event.originator_id,
            "status": CAMPAIGN_STATUSES[kind],
            "settings": Jsonb(domain_event.settings) if made else None,
            "author": Jsonb(domain_event.author) if made else None,
            "contacts": contacts,
            "at": domain_event.timestamp,
        }
        self.view.put(values, tracking)


type Kind = tuple[type[Application[UUID]], type[Projection[Any]], type[_View]]

MESSAGES: Kind = (Messages, OfMessages, MessageRows)
COUNTERS: Kind = (Messages, OfCounters, Counters)
CAMPAIGNS: Kind = (Campaigns, OfCampaigns, CampaignRows)


def rebuild_s(server: Env, kind: Kind, last: int) -> float:
    """Project everything up to the entry `last` into fresh tables; return the seconds it took."""
    application, projection, view = kind
    name = f"{projection.__name__.lower()}{next(_runs)}"
    began = time.perf_counter()
    with ProjectionRunner(
        application_class=application,
        projection_class=type(name, (projection,), {"name": name}),
        view_class=view,
        env=env(server),
    ) as runner:
        # Its own `wait` looks every 0.8 s in the end: a fifth of what is measured here.
        while not runner.projection.view.has_tracking_id(runner.app_name, last):
            if time.perf_counter() - began > PATIENCE_S:
                raise TimeoutError(f"{name} did not get to {last}")
            time.sleep(LOOK_S)
        return time.perf_counter() - began


def env(server: Env) -> dict[str, str]:
    """What configures the applications and the views."""
    return {**server, "PERSISTENCE_MODULE": "eventsourcing.postgres"}


NAME = eventsourced.NAME
