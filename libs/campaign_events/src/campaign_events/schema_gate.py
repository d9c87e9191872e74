"""A service does nothing with a database of another schema than it knows: it says so and waits."""

import asyncio
from collections.abc import Coroutine, Mapping
from typing import Any

import structlog
from pymongo.errors import PyMongoError
from starlette.types import ASGIApp, Receive, Scope, Send

from campaign_events.migrations import Schema, SchemaMismatch
from campaign_events.ops import Answerer, Body
from campaign_events.problems import Problem
from campaign_events.projection import Database

LOOK_S = 2.0
OPEN = ("/api/v1/diagnostics",)
"""What answers all the same: it tells how things are."""

log = structlog.get_logger(__name__)


class SchemaGate:
    """Opens once the database has the schema that the service needs, and stays open."""

    def __init__(self, schema: Schema | None, db: Database) -> None:
        self._schema = schema
        self._db = db
        self._opened = asyncio.Event()
        self.version: int | None = None
        if schema is None:
            self._opened.set()

    @property
    def is_open(self) -> bool:
        """Tell whether the service may work."""
        return self._opened.is_set()

    @property
    def state(self) -> dict[str, Any]:
        """Which schema there is, as far as is known, and which one is needed."""
        expected = 0 if self._schema is None else self._schema.expected
        return {"version": self.version, "expected": expected, "ok": self.version == expected}

    async def check(self) -> None:
        """Return when the service may work.

        Raises:
            SchemaMismatch: why not, and what to do.

        """
        if not self.is_open and self._schema is not None:
            self._schema.check(self.version)

    def work(self) -> Mapping[str, Coroutine[Any, Any, None]]:
        """Return what must run for as long as the service does, by name."""
        return {} if self._schema is None else {"schema": self._watch(self._schema)}

    def answerers(self) -> Mapping[str, Answerer]:
        """Return what operators may ask, by the name of the question."""
        return {"schema": self._asked}

    async def behind(self, work: Coroutine[Any, Any, None]) -> None:
        """Do a piece of work, but not before the gate is open."""
        try:
            await self._opened.wait()
        except BaseException:
            work.close()
            raise
        await work

    async def _asked(self, _: Body) -> dict[str, Any]:
        return self.state

    async def _watch(self, schema: Schema) -> None:
        told = ""
        while True:
            try:
                self.version = await schema.version(self._db)
                schema.check(self.version)
            except SchemaMismatch as error:
                if str(error) != told and not self.is_open:
                    log.warning("waits for another schema", why=str(error))
                told = str(error)
            except PyMongoError as error:
                log.info("the schema can not be looked up", why=repr(error))
            else:
                self._opened.set()
            await asyncio.sleep(LOOK_S)


class SchemaDoor:
    """Answers 503 for as long as the gate is closed, and says what to do."""

    def __init__(self, app: ASGIApp, gate: SchemaGate) -> None:
        self._app = app
        self._gate = gate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or refuse it."""
        path = scope.get("path", "")
        if scope["type"] == "http" and path.startswith("/api/") and path not in OPEN:
            try:
                await self._gate.check()
            except SchemaMismatch as error:
                text = f"{str(error)[:1].upper()}{str(error)[1:]}."
                await Problem(503, "unavailable", text).response()(scope, receive, send)
                return
        await self._app(scope, receive, send)
