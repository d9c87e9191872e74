"""The door of every service, as the audit trail sees it: nothing that a person wishes passes by.

Outermost but for the one that measures, so it sees what is refused before a handler does. It gives
each request its id, and holds an answer back until the record about it is safe.
"""

import ipaddress
import re
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

import jwt
import orjson
import structlog
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from campaign_events.access import Caller, workspace_name
from campaign_events.audit import (
    ANYBODY,
    DENIED,
    Note,
    Outcome,
    Record,
    Resource,
    open_note,
    plain,
)
from campaign_events.audit_routes import UNSAFE, Operation, Operations
from campaign_events.audit_trail import Trail
from campaign_events.envelope import Actor, new_id

NOBODY = Actor(id="anonymous", name="anonymous")
_REQUEST_ID = re.compile(r"[A-Za-z0-9._:/+=@-]{1,128}")
_LONGEST_CLAIM = 100


class AuditDoor:
    """Records every command and every bad token."""

    def __init__(self, app: ASGIApp, trail: Trail) -> None:
        self._app = app
        self._trail = trail
        self._operations: Operations | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and record what became of it before its answer leaves."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        request.state.request_id = _request_id(request)
        name = request.state.request_id
        with structlog.contextvars.bound_contextvars(request_id=name, correlation_id=name):
            visit = _Visit(request, open_note(), self)
            try:
                await self._app(scope, receive, visit.answering(send))
            finally:
                await visit.ended(HTTPStatus.INTERNAL_SERVER_ERROR, "unanswered")

    def operation(self, request: Request) -> tuple[Operation, str | None] | None:
        """Return what this request is, and the id in its path."""
        if self._operations is None:
            self._operations = Operations(request.app)
        return self._operations.find(request.method, request.url.path)

    async def denied(self, record: Record) -> None:
        """Record a bad token; nobody waits for that."""
        self._trail.send_summed(record)

    async def command(self, record: Record, operation: Operation) -> None:
        """Record a command; it is safe afterwards."""
        if operation.summed:
            await self._trail.keep_summed(record)
        else:
            await self._trail.keep(record)


class _Visit:
    """One request, from its arrival to its answer."""

    def __init__(self, request: Request, noted: Note, door: AuditDoor) -> None:
        self._request = request
        self._note = noted
        self._door = door
        self._start: Message | None = None
        self._is_recorded = False

    def answering(self, send: Send) -> Send:
        """Return a `send` that holds the answer to a command until the record is safe."""
        name, value = b"x-request-id", self._request.state.request_id.encode()

        async def held(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [*message.get("headers", ()), (name, value)]
                self._start = {**message, "headers": headers}
                if self._request.method in UNSAFE:
                    return
            if self._start is not None:
                start, self._start = self._start, None
                if self._request.method in UNSAFE:
                    await self.ended(start["status"], _refusal(start, message))
                await send(start)
            if message["type"] != "http.response.start":
                await send(message)

        return held

    async def ended(self, status: int, refusal: str | None) -> None:
        """Record how the request ended, once."""
        if self._is_recorded:
            return
        self._is_recorded = True
        state = self._request.state
        known: Caller | None = getattr(state, "caller", None)
        why: str | None = getattr(state, "denied", None)
        if why is not None and known is None:
            await self._door.denied(self._bad_token(why))
        elif known is not None and self._request.method in UNSAFE:
            found = self._door.operation(self._request)
            if found is not None and found[0].action is not None:
                record = self._command(known, *found, status, refusal)
                await self._door.command(record, found[0])

    def _command(
        self,
        caller: Caller,
        operation: Operation,
        named: str | None,
        status: int,
        refusal: str | None,
    ) -> Record:
        state = self._request.state
        is_done = status < HTTPStatus.BAD_REQUEST
        # An answer that is not final may be followed by a better one to the same command.
        is_final = status < HTTPStatus.INTERNAL_SERVER_ERROR
        command_id = getattr(state, "command_id", None) if is_final else None
        workspace = getattr(state, "workspace", None) or caller.workspace
        return self._record(
            id=command_id or new_id(),
            workspace=workspace,
            actor=caller.actor,
            action=operation.action or DENIED,
            resource=Resource(operation.resource, self._note.resource or named),
            outcome="done" if is_done else "refused",
            refusal=refusal,
            before=self._note.before,
            after=self._note.after if is_done else None,
        )

    def _bad_token(self, why: str) -> Record:
        claimed = _claims(self._request)
        found = self._door.operation(self._request)
        path = None if found is None else f"{found[0].method} {found[0].path}"
        return self._record(
            id=new_id(),
            workspace=workspace_name(claimed.get("workspace")) or ANYBODY,
            actor=NOBODY,
            action=DENIED,
            resource=Resource("door", None),
            outcome="refused",
            refusal="unauthorized",
            after={"why": plain(why), "door": path, "claimed": claimed},
        )

    def _record(self, *, outcome: Outcome, **known: Any) -> Record:
        request = self._request
        return Record(
            at=datetime.now(UTC),
            outcome=outcome,
            ip=_address(request),
            user_agent=request.headers.get("User-Agent"),
            request_id=request.state.request_id,
            **known,
        )


def _request_id(request: Request) -> str:
    """Return the caller's own id of the request if it is a sane one, else a new one."""
    given = request.headers.get("X-Request-Id", "")
    return given if _REQUEST_ID.fullmatch(given) else new_id()


def _address(request: Request) -> str | None:
    """Return where the request comes from: the server has looked behind proxies that it trusts."""
    try:
        return None if request.client is None else str(ipaddress.ip_address(request.client.host))
    except ValueError:
        return None


def _refusal(start: Message, body: Message) -> str | None:
    """Return the code of a problem document."""
    if start["status"] < HTTPStatus.BAD_REQUEST:
        return None
    try:
        problem = orjson.loads(body.get("body", b""))
    except orjson.JSONDecodeError:
        return None
    code = problem.get("code") if isinstance(problem, dict) else None
    return code if isinstance(code, str) else None


def _claims(request: Request) -> dict[str, str]:
    """Return who a bad token says that it is for; nothing of it is proven."""
    token = request.headers.get("Authorization", "").partition(" ")[2].strip()
    try:
        claims = jwt.decode(token, options={"verify_signature": False})
    except (jwt.PyJWTError, ValueError):
        return {}
    return {
        name: plain(value[:_LONGEST_CLAIM])
        for name in ("sub", "workspace")
        if isinstance(value := claims.get(name), str)
    }
