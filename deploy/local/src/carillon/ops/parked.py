"""What is parked, asked of the platform by an operator of this machine."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx

from carillon.api_client import Json, Person, ProblemError, check_reachable
from carillon.stack_file import read_stack_file
from carillon.tokens.identity import DEMO_WORKSPACE, Identity
from carillon.tokens.issuer import DevelopmentIssuer

OPERATOR = Identity("dev-operator", "Local Operator", DEMO_WORKSPACE, ("super_admin",))
PAGE = 500
PATIENCE = 60.0


@dataclass(frozen=True, slots=True)
class End:
    """What became of one wish: how many events were dealt with, and what is parked still."""

    id: str
    done: int
    failed: bool
    left: Json


@asynccontextmanager
async def operator(data: Path) -> AsyncIterator[Person]:
    """Somebody who may do everything on the platform of this folder.

    Raises:
        NoStackError: none runs there.
        UnreachableError: it does not answer.
    """
    stack = read_stack_file(data)
    issuer = DevelopmentIssuer.load(data / "issuer")
    async with httpx.AsyncClient(base_url=stack.url, timeout=PATIENCE) as http:
        await check_reachable(http)
        yield Person(http, issuer, OPERATOR)


async def listed(data: Path) -> dict[str, Any]:
    """Everything that is parked: `items`, and the services that do not say (`unanswered`)."""
    async with operator(data) as person:
        return await _listed(person)


async def one(data: Path, parked_id: str) -> Json:
    """One of them, with the way to its error."""
    async with operator(data) as person:
        return await person.ask("GET", _path(parked_id))


async def retried(data: Path, parked_id: str | None, ended: Callable[[End], None]) -> bool:
    """Retry one or, without an id, all; tell how each ended, and whether all are free."""
    async with operator(data) as person:
        if parked_id is not None:
            return _told(ended, await _released(person, parked_id, "retry"))
        free = True
        for item in (await _listed(person))["items"]:
            try:
                free &= _told(ended, await _released(person, item["id"], "retry"))
            except ProblemError as problem:
                if problem.status != httpx.codes.NOT_FOUND:  # else somebody else was faster
                    raise
        return free


async def dropped(data: Path, parked_id: str) -> End:
    """Drop the event that failed, and work off what waits behind it."""
    async with operator(data) as person:
        return await _released(person, parked_id, "drop")


def _told(ended: Callable[[End], None], end: End) -> bool:
    ended(end)
    return not end.failed


async def _released(person: Person, parked_id: str, wish: str) -> End:
    """Ask as long as something is left that has not failed: a long row takes several answers."""
    done = 0
    while True:
        said = await person.ask("POST", _path(parked_id, wish))
        done, wish = done + said["done"], "retry"
        if said["failed"] or said["left"] is None:
            return End(parked_id, done, said["failed"], said["left"])


async def _listed(person: Person) -> dict[str, Any]:
    items: list[Json] = []
    unanswered: set[str] = set()
    cursor = ""
    while True:
        page = await person.ask("GET", f"/ops/parked?everywhere=true&limit={PAGE}{cursor}")
        items += page["items"]
        unanswered |= set(page["unanswered"])
        if page["next_cursor"] is None:
            return {"items": items, "unanswered": sorted(unanswered)}
        cursor = f"&cursor={page['next_cursor']}"


def _path(parked_id: str, wish: str = "") -> str:
    ending = f"/{wish}" if wish else ""
    return f"/ops/parked/{quote(parked_id, safe='')}{ending}?everywhere=true"
