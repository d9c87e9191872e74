"""The shell of every service: settings, logs, connections, probes, metrics, and a clean end.

async def main() -> None:
async with connected("campaign", Settings()) as resources:
app = api("campaign", resources)
await run(app, resources, {"due work": due.run()})
"""

import asyncio
import gc
import logging
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import structlog
import uvicorn
from fastapi import APIRouter, FastAPI
from fastapi.telemetry import TelemetryConfig
from nats.aio.client import Client
from prometheus_client import (
    Counter,
    disable_created_metrics,
)
from pymongo import AsyncMongoClient

from campaign_events import certificates, ops, tracing
from campaign_events.access import Verifier
from campaign_events.audit_door import AuditDoor
from campaign_events.audit_file import FallbackFile
from campaign_events.audit_retention import Retention
from campaign_events.audit_routes import undeclared
from campaign_events.audit_store import DATABASE, RECORDS
from campaign_events.audit_trail import Trail
from campaign_events.bodies import BodyLimit
from campaign_events.browsing import Browsing
from campaign_events.envelope import new_id
from campaign_events.erasing import Erasing
from campaign_events.eventlog import EventLog
from campaign_events.heads import Heads
from campaign_events.migrations import Schema
from campaign_events.nats_login import Connection, NatsLogin
from campaign_events.openapi import describe
from campaign_events.parked_desk import ParkedDesk
from campaign_events.probes import PROBE_S, Checks, add_probes, goes_on
from campaign_events.problems import add_problem_handlers
from campaign_events.projection import Database, Document
from campaign_events.rate_limit import RateLimit
from campaign_events.schema_gate import SchemaDoor, SchemaGate
from campaign_events.settings import Settings
from campaign_events.token_door import TokenDoor
from campaign_events.traffic import Traffic
from campaign_events.vitals import Vitals, version_of_platform

DISCONNECTS = Counter("carillon_nats_disconnects", "Losses of the connection to NATS")

MONGO_CONNECTIONS = 12
"""More than one event loop can keep busy: in a rush commands wait their turn, a ms each, and not
behind dozens of new connections with their logins."""

log = structlog.get_logger(__name__)
_NO_TELEMETRY_OF_FASTAPI: TelemetryConfig = {
    "tracing": False,
    "metrics": False,
    "logs": False,
    "operation_spans": False,
    "auto_configure": False,
}
"""Its own spans would carry queries and the words of errors; `traffic` and `tracing` do not."""


@dataclass(frozen=True, slots=True)
class Resources:
    """What a service has while it runs."""

    name: str
    settings: Settings
    nc: Client
    mongo: AsyncMongoClient[Document]
    db: Database
    log: EventLog
    stopping: asyncio.Event
    owner: str = field(default_factory=new_id)
    """The name under which this process owns things."""
    schema: Schema | None = None
    """What the database must look like; None: nobody cares."""


@asynccontextmanager
async def connected(
    name: str, settings: Settings, schema: Schema | None = None
) -> AsyncIterator[Resources]:
    """Connect to NATS and MongoDB, and let go of both at the end."""
    _write_json_logs(name, settings.log_level)
    collect_garbage_less_often()
    disable_created_metrics()  # type: ignore[no-untyped-call]
    stopping = asyncio.Event()
    nc = await Connection.open(
        NatsLogin.of(name, settings),
        max_reconnect_attempts=-1,
        reconnect_time_wait=0.25,
        allow_reconnect=True,
        pending_size=64 * 1024 * 1024,
        error_cb=_nats_error,
        disconnected_cb=_disconnected,
        reconnected_cb=_reconnected,
        closed_cb=_end(stopping),
    )
    mongo: AsyncMongoClient[Document] = AsyncMongoClient(
        settings.mongo_url,
        appname=name,
        tz_aware=True,
        serverSelectionTimeoutMS=5000,
        w="majority",
        journal=True,
        readConcernLevel="majority",
        maxPoolSize=MONGO_CONNECTIONS,
    )
    try:
        if schema is not None:
            await schema.begin(mongo[name])
        async with tracing.exported(name, version_of_platform()):
            owner, log_ = settings.instance or new_id(), EventLog(nc)
            yield Resources(name, settings, nc, mongo, mongo[name], log_, stopping, owner, schema)
    finally:
        await mongo.close()
        await nc.close()


class _App(FastAPI):
    """Takes the routes of a router as they are.

    To include them makes each a second time, a twentieth of a start, and looks for them by way of
    their router: 20 to 100 µs of every request, where a whole overview costs 580.
    """

    def include_router(self, router: APIRouter, **options: Any) -> None:
        if options:
            super().include_router(router, **options)
        else:
            self.routes.extend(router.routes)


def api(title: str, resources: Resources) -> FastAPI:
    """Return an HTTP app with problems, access, body limit, probes and metrics in place."""
    app = _App(
        title=f"Carillon {title}", docs_url=None, redoc_url=None, telemetry=_NO_TELEMETRY_OF_FASTAPI
    )
    settings = resources.settings
    app.state.verifier = verifier = Verifier(settings.issuer, settings.audience, settings.jwks)
    app.state.resources = resources
    app.state.audit = trail = _trail(resources)
    app.state.parked = ParkedDesk(resources.db, resources.log)
    app.state.erasing = Erasing(resources.name, resources.nc, resources.db, trail)
    app.state.gate = gate = SchemaGate(resources.schema, resources.db)
    app.state.answerers = {}
    app.add_middleware(BodyLimit)
    app.add_middleware(SchemaDoor, gate=gate)
    app.add_middleware(TokenDoor)
    app.add_middleware(AuditDoor, trail=trail)
    app.add_middleware(RateLimit, verifier=verifier, settings=settings)
    app.add_middleware(Browsing)
    app.add_middleware(Heads)
    app.add_middleware(Traffic)
    add_problem_handlers(app)
    describe(app)
    checks: Checks = {
        "serving": lambda: goes_on(resources.stopping),
        "nats": lambda: resources.nc.jetstream(timeout=PROBE_S).account_info(),
        "mongo": lambda: resources.mongo.admin.command("ping"),
        "schema": gate.check,
    }
    add_probes(app, checks)
    return app


def _trail(resources: Resources) -> Trail:
    settings = resources.settings
    path = settings.audit_fallback or Path(f"audit-{resources.name}.jsonl")
    retention = Retention(resources.nc, resources.log, settings.audit_retention_days)
    return Trail(resources.mongo[DATABASE][RECORDS], FallbackFile(path), retention)


async def run(
    app: FastAPI, resources: Resources, work: Mapping[str, Coroutine[Any, Any, None]]
) -> None:
    """Serve HTTP and do the work until SIGTERM; then take nothing new, finish, and return.

    For `drain_s` after SIGTERM everything goes on, but `/readyz` says that it ends.

    The first piece of work that fails ends the process with 1.
    """
    stopping = resources.stopping
    trail: Trail = app.state.audit
    if missing := undeclared(app):
        log.error("commands without an audit action", operations=missing)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    server = _Server(
        uvicorn.Config(
            app,
            host=resources.settings.http_host,
            port=resources.settings.http_port,
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=3,
            timeout_keep_alive=30,
            forwarded_allow_ips=resources.settings.trusted_proxies,
            server_header=False,
            ws="none",
        )
    )
    parked: ParkedDesk = app.state.parked
    parked.projectors = parked.projectors or getattr(app.state, "projectors", ())
    parked.reactions = getattr(app.state, "reactions", ())
    erasing: Erasing = app.state.erasing
    answerers = {**app.state.answerers, **parked.answerers(), **erasing.answerers()}
    gate: SchemaGate = app.state.gate
    answerers |= gate.answerers()
    reactions = [reaction.reader for reaction in getattr(app.state, "reactions", ())]
    vitals = Vitals(resources.name, resources.log, parked.projectors, reactions)
    everything = {
        **{name: gate.behind(piece) for name, piece in work.items()},
        **gate.work(),
        **certificates.watched(resources.settings.certificates),
        **trail.work(resources.nc, resources.name),
        **parked.work(),
        **erasing.work(),
        **vitals.work(),
        "ops": ops.answer(resources.nc, resources.name, answerers),
    }
    tasks: set[asyncio.Task[Any]] = {
        asyncio.create_task(coroutine, name=name) for name, coroutine in everything.items()
    }
    tasks.add(asyncio.create_task(server.serve(), name="http"))
    stop = asyncio.create_task(stopping.wait(), name="stop")
    failed, _ = await asyncio.wait({*tasks, stop}, return_when=asyncio.FIRST_COMPLETED)
    if failed == {stop}:
        failed, _ = await asyncio.wait(
            tasks, timeout=resources.settings.drain_s, return_when=asyncio.FIRST_COMPLETED
        )
    server.should_exit = True
    for task in failed - {stop}:
        error = None if task.cancelled() else task.exception()
        log.error("work ended", work=task.get_name(), exc_info=error)
    for task in tasks:
        if task.get_name() != "http":
            task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await trail.close()
    stop.cancel()
    if failed - {stop}:
        sys.exit(1)
    log.info("stopped")


class _Server(uvicorn.Server):
    """uvicorn without its own signal handling, which would raise SIGTERM once more at the end."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


# Local variables stay out of the logs: they hold passwords and phone numbers.
_TRACEBACKS = structlog.processors.ExceptionRenderer(
    structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
)


def collect_garbage_less_often() -> None:
    """Leave alone what start-up made, and look at young objects in bigger lots.

    Events and their parts hold no cycles; folding them makes many objects at a time.
    """
    gc.freeze()
    gc.set_threshold(20_000, 50, 100)


def _write_json_logs(name: str, level: str) -> None:
    """Write every log line, also those of libraries, as one JSON object on stdout."""
    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        tracing.log_ids,
        _TRACEBACKS,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    logging.basicConfig(handlers=[handler], level=level, force=True)
    logging.getLogger("faststream").setLevel(logging.WARNING)
    structlog.contextvars.bind_contextvars(service=name)


async def _nats_error(error: Exception) -> None:
    log.warning("nats error", why=repr(error))


async def _disconnected() -> None:
    DISCONNECTS.inc()
    log.warning("nats disconnected")


async def _reconnected() -> None:
    log.info("nats reconnected")


def _end(stopping: asyncio.Event) -> Callable[[], Awaitable[None]]:
    async def closed() -> None:
        stopping.set()

    return closed
