"""`Idempotency-Key`: the same POST twice, also at the same moment, has one effect and one answer.

The first request under a key writes down a command id before it does anything; a repeated one
uses that very id, and the log stores the facts of one command id once. So the promise holds even
when a service dies between the effect and its answer.
"""

import asyncio
import hashlib
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request, Response
from pymongo import IndexModel
from pymongo.errors import DuplicateKeyError
from starlette.middleware import Middleware
from starlette.middleware.base import (
    BaseHTTPMiddleware,
    DispatchFunction,
    RequestResponseEndpoint,
)
from starlette.types import ASGIApp, Receive, Scope, Send

from campaign_events.access import Caller, authenticate
from campaign_events.envelope import new_id
from campaign_events.problems import Problem, problem_of
from campaign_events.projection import Database, Document

KEPT = timedelta(hours=24)
STALE = timedelta(seconds=30)
KEY = "Idempotency-Key"
MAX_KEY = 200
log = structlog.get_logger(__name__)
_HEADERS = ("content-type", "event-position", "location")


class IdempotencyKeys:
    """Remembers answers by workspace, caller, key; one document each, removed after 24 h."""

    def __init__(self, db: Database) -> None:
        self._answers = db.idempotency

    async def prepare(self) -> None:
        """Make the index that forgets."""
        expiry = IndexModel("at", expireAfterSeconds=int(KEPT.total_seconds()))
        await self._answers.create_indexes([expiry])

    def serve(self, app: FastAPI) -> None:
        """Stand before the app's routes, but behind its limit on bodies: they are read here."""
        app.user_middleware.append(Middleware(_Door, answer=self._answer))

    async def _answer(self, request: Request, proceed: RequestResponseEndpoint) -> Response:
        """Answer a POST with a key, a repeated one from memory."""
        try:
            return await self._once(request, proceed, request.headers[KEY])
        except Exception as error:  # outside of the app's own handlers here
            problem = problem_of(error)
            if problem.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
                log.exception("request failed", path=request.url.path)
            return problem.response()

    async def _once(self, request: Request, proceed: RequestResponseEndpoint, key: str) -> Response:
        if not 1 <= len(key) <= MAX_KEY:
            raise Problem(422, "invalid", f"Idempotency-Key holds 1 to {MAX_KEY} characters.")
        caller = await authenticate(request)
        asked = hashlib.sha256(
            f"{request.method} {request.url.path}?{request.url.query}\n".encode()
            + await request.body()
        ).hexdigest()
        entry = await self._enter(_entry_id(caller, key), asked)
        if entry["asked"] != asked:
            raise Problem(422, "invalid", "This Idempotency-Key was used for another request.")
        request.state.command_id = entry["command_id"]
        if "status" in entry:
            return Response(entry["body"], entry["status"], entry["headers"])
        try:
            answer = await proceed(request)
        except Exception:
            await self._release(entry["_id"])
            raise
        return await self._remember(entry["_id"], answer)

    async def _enter(self, entry_id: str, asked: str) -> Document:
        """Become the first, or wait for the first one's answer; a dead first one is replaced."""
        while True:
            now = datetime.now(UTC)
            fresh = {
                "_id": entry_id,
                "asked": asked,
                "command_id": new_id(),
                "at": now,
                "held": now,
            }
            try:
                await self._answers.insert_one(fresh)
            except DuplicateKeyError:
                taken = await self._answers.find_one_and_update(
                    {"_id": entry_id, "status": None, "held": {"$lt": now - STALE}},
                    {"$set": {"held": now}},
                )
                if taken is not None:
                    return taken
                known = await self._answers.find_one({"_id": entry_id})
                if known is not None and ("status" in known or known["asked"] != asked):
                    return known
                await asyncio.sleep(0.05)
            else:
                return fresh

    async def _remember(self, entry_id: str, response: Response) -> Response:
        body = b"".join([chunk async for chunk in response.body_iterator])  # type: ignore[attr-defined]
        headers = {name: value for name in _HEADERS if (value := response.headers.get(name))}
        if response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
            await self._release(entry_id)
        else:
            answer: dict[str, Any] = {
                "status": response.status_code,
                "headers": headers,
                "body": body,
            }
            await self._answers.update_one({"_id": entry_id}, {"$set": answer})
        return Response(body, response.status_code, headers)

    async def _release(self, entry_id: str) -> None:
        """Let the same key try again at once: there was no answer."""
        await self._answers.update_one(
            {"_id": entry_id}, {"$set": {"held": datetime.fromtimestamp(0, UTC)}}
        )


class _Door:
    """Gives every request its command id, and lets only those with a key pass through memory.

    All others go by untouched, so an answer that breaks off half-way does not end like a whole one.
    """

    def __init__(self, app: ASGIApp, answer: DispatchFunction) -> None:
        self._app = app
        self._with_key = BaseHTTPMiddleware(app, answer)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        request.state.command_id = new_id()
        keyed = request.method == "POST" and KEY in request.headers
        await (self._with_key if keyed else self._app)(scope, receive, send)


def _entry_id(caller: Caller, key: str) -> str:
    return hashlib.sha256(f"{caller.workspace}\x1f{caller.id}\x1f{key}".encode()).hexdigest()
