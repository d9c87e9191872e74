"""Talking to Carillon's HTTP API as one person, who reads what they wrote."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx

from carillon.errors import PlainError
from carillon.tokens.identity import Identity
from carillon.tokens.issuer import DevelopmentIssuer

type Json = Any  # what a JSON text holds; its reader knows the contract

TOKEN_TTL = timedelta(hours=1)
NOT_YET = frozenset({425, 502, 503, 504})
PATIENCE = 20.0  # seconds in which a service may be away or behind
PAUSE = 0.25


class ProblemError(PlainError):
    """The platform's answer was a problem; the text is fit to be shown."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        self.status = status
        self.code = code
        super().__init__(f"{detail} ({status} {code})")


class UnreachableError(PlainError):
    """Nothing answers at the platform's address."""


@dataclass(slots=True)
class Person:
    """One identity at one edge; each of their reads waits for what they wrote before."""

    http: httpx.AsyncClient
    issuer: DevelopmentIssuer
    identity: Identity
    position: str | None = None
    _token: str = field(default="", init=False)
    _fresh_until: float = field(default=0.0, init=False)

    async def ask(self, method: str, path: str, body: Json = None) -> Json:
        """The answer's JSON; a short absence of a service is waited for.

        Raises:
            ProblemError: the platform refused, or stayed away too long.
            UnreachableError: nothing listens at all.
        """
        headers = {"Idempotency-Key": str(uuid.uuid4())} if method == "POST" else {}
        end = time.monotonic() + PATIENCE
        while True:
            try:
                answer = await self.http.request(
                    method, f"/api/v1{path}", json=body, headers=self._headers() | headers
                )
            except httpx.TransportError as error:
                if time.monotonic() > end:
                    raise UnreachableError(_unreachable(self.http, error)) from error
            else:
                if answer.status_code not in NOT_YET or time.monotonic() > end:
                    return self._understood(answer)
            await asyncio.sleep(PAUSE)

    async def send(self, path: str, content_type: str, content: AsyncIterator[bytes]) -> Json:
        """Stream a body and return the answer's JSON.

        Raises:
            ProblemError: the platform refused it.
            UnreachableError: the connection broke.
        """
        headers = self._headers() | {"Content-Type": content_type}
        try:
            answer = await self.http.put(
                f"/api/v1{path}", content=content, headers=headers, timeout=None
            )
        except httpx.TransportError as error:
            raise UnreachableError(_unreachable(self.http, error)) from error
        return self._understood(answer)

    def _headers(self) -> dict[str, str]:
        if time.monotonic() > self._fresh_until:
            self._token = self.issuer.mint(self.identity, TOKEN_TTL)
            self._fresh_until = time.monotonic() + TOKEN_TTL.total_seconds() / 2
        headers = {"Authorization": f"Bearer {self._token}"}
        return headers | ({"Min-Event-Position": self.position} if self.position else {})

    def _understood(self, answer: httpx.Response) -> Json:
        if answer.is_success:
            self.position = answer.headers.get("Event-Position", self.position)
            return answer.json() if answer.content else None
        try:
            problem = answer.json()
        except ValueError:
            problem = {}
        detail = problem.get("detail") or problem.get("title") or answer.reason_phrase
        reasons = problem.get("reasons") or [
            f"{error.get('field')}: {error.get('reason')}" for error in problem.get("errors") or []
        ]
        further = [str(reason) for reason in reasons if str(reason) not in detail]
        text = " ".join([detail, "; ".join(further)]).rstrip()
        raise ProblemError(answer.status_code, problem.get("code", "unknown"), text)


async def check_reachable(http: httpx.AsyncClient) -> None:
    """Return when something listens at the platform's address.

    Raises:
        UnreachableError: nothing does; whoever asks need not wait to hear it.
    """
    try:
        await http.head("/")
    except httpx.TransportError as error:
        raise UnreachableError(_unreachable(http, error)) from error


def _unreachable(http: httpx.AsyncClient, error: httpx.TransportError) -> str:
    what = str(error) or type(error).__name__
    return f"The platform at {http.base_url} does not answer ({what}): is `carillon up` running?"
