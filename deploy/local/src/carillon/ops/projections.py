"""Projections of the platform, for an operator of this machine: how they stand, and wishes."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx

from carillon.api_client import Json, Person, ProblemError
from carillon.errors import PlainError
from carillon.ops.parked import operator

LOOK_S = 0.25
RUNNING = ("growing", "switching", "comparing")

type Watch = Callable[[Json], None]
"""Is shown how the projection stands, again and again."""


class GivenUpError(PlainError):
    """What was wished for was ended by somebody."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What a verification has found in one projection."""

    name: str
    documents: int
    differing: int
    differences: Sequence[Json]


async def listed(data: Path) -> dict[str, Any]:
    """Every projection: `items`, and the services that do not say (`unanswered`)."""
    async with operator(data) as person:
        found: dict[str, Any] = await person.ask("GET", "/ops/projections")
        return found


async def carried_out(data: Path, name: str, wish: str, body: Json, watch: Watch) -> Json:
    """Wish for something and watch until it is done; return how the projection stands then.

    One that is under way already is watched to its end.

    Raises:
        GivenUpError: somebody has dropped the generation meanwhile.
        ProblemError: it is refused; the text says why.
    """
    async with operator(data) as person:
        return await _carried_out(person, name, wish, body, watch)


async def dropped(data: Path, name: str, generation: int | None) -> Json:
    """Remove a generation that is not live; return how the projection stands then."""
    async with operator(data) as person:
        return await person.ask("POST", _path(name, "drop"), {"generation": generation})


async def verified(data: Path, name: str | None, watch: Watch) -> AsyncIterator[Checked]:
    """Verify one projection or, without a name, all of them; yield what is found in each."""
    async with operator(data) as person:
        names = [name] if name else await _names(person)
        for each in names:
            stands = await _carried_out(person, each, "verify", {}, watch)
            found = await person.ask("GET", _path(stands["name"], "verification"))
            shown = ("documents", "differing", "differences")
            yield Checked(stands["name"], **{key: found[key] for key in shown})


async def _names(person: Person) -> list[str]:
    found = await person.ask("GET", "/ops/projections")
    if found["unanswered"]:
        raise PlainError(
            f"The services {', '.join(found['unanswered'])} do not answer: see `carillon doctor` "
            "and their logs, or name one projection."
        )
    return [item["name"] for item in found["items"]]


async def _carried_out(person: Person, name: str, wish: str, body: Json, watch: Watch) -> Json:
    stands = await _begun(person, name, wish, body)
    job = stands["job"]["id"]
    while stands["job"]["id"] == job and stands["job"]["state"] in RUNNING:
        watch(stands)
        await asyncio.sleep(LOOK_S)
        stands = await _known(person, name)
    if stands["job"]["id"] != job or stands["job"]["state"] != "done":
        raise GivenUpError(f"The {wish} of {stands['name']} was given up: somebody dropped it.")
    watch(stands)
    return stands


async def _begun(person: Person, name: str, wish: str, body: Json) -> Json:
    try:
        stands = await person.ask("POST", _path(name, wish), body)
    except ProblemError as problem:
        if problem.status != httpx.codes.CONFLICT:
            raise
        stands = await person.ask("GET", _path(name))
        job = stands["job"]
        if job is None or job["kind"] != wish or job["state"] not in RUNNING:
            raise
    return stands if stands["job"] else await _known(person, name)


async def _known(person: Person, name: str) -> Json:
    """How a projection stands; what MongoDB can not tell at the moment is waited for."""
    while True:
        stands = await person.ask("GET", _path(name))
        if stands["job"]:
            return stands
        await asyncio.sleep(LOOK_S)


def _path(name: str, wish: str = "") -> str:
    ending = f"/{wish}" if wish else ""
    return f"/ops/projections/{quote(name, safe='')}{ending}"
