"""Bringing the databases of the services to the schema that the installed version needs."""

import asyncio
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from pymongo import AsyncMongoClient
from pymongo.errors import ConnectionFailure

from carillon.errors import PlainError
from carillon.services import SERVICES
from carillon.stack_file import read_stack_file
from carillon.supervisor import NotPreparedError

NOTHING_TO_DO = "nothing to do"  # how the line of a database ends that is as it should be

type Narrate = Callable[[str], None]


class MigrationError(PlainError):
    """A database could not be brought to the schema; the text is what its service said."""


async def migrate_running(data: Path, say: Narrate) -> None:
    """Migrate the databases of the platform that runs on this folder, and say what was done.

    Raises:
        NoStackError: none runs there; `carillon up` migrates before it starts the services.
        MigrationError: a database could not be migrated.
    """
    url = read_stack_file(data).mongo_url
    await migrate(SERVICES, lambda _: url, {}, say)


async def in_use(services: Iterable[str], mongo_url: str) -> list[str]:
    """Those of the services that have a database yet; a new one begins with the newest schema.

    Raises:
        NotPreparedError: the server does not answer.
    """
    try:
        async with AsyncMongoClient[Any](mongo_url, serverSelectionTimeoutMS=5000) as client:
            names = set(await client.list_database_names())
    except ConnectionFailure as error:
        raise NotPreparedError(f"mongod does not answer: {error}") from error
    return [service for service in services if service in names]


async def migrate(
    services: Iterable[str],
    mongo_url: Callable[[str], str],
    environment: Mapping[str, str],
    say: Narrate,
) -> None:
    """Migrate the database of each service, all at the same time, and say what was done.

    Raises:
        MigrationError: one could not be migrated; the others are finished nevertheless.
    """
    outcomes = await asyncio.gather(
        *(
            _one(service, {**environment, "CARILLON_MONGO_URL": mongo_url(service)}, say)
            for service in services
        )
    )
    if failed := [text for text in outcomes if text]:
        raise MigrationError("; ".join(failed))


async def _one(service: str, environment: Mapping[str, str], say: Narrate) -> str:
    """Run a service's own program for it; return what it has to complain of."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", f"{service}.migrations"),
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        said, complaint = await process.communicate()
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()
    for line in said.decode().splitlines():
        say(line)
    if process.returncode == 0:
        return ""
    last = complaint.decode(errors="replace").strip().splitlines()[-1:]
    return last[0] if last else f"{service}: the migration ended with {process.returncode}"
