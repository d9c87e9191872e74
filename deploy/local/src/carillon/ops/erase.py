"""One person's data, erased: by the services in all that they keep, here in the audit trail.

No service may change the audit trail, so that is done with the administrator's login. Then every
document of every database is looked at: what is left is told, with where it is.
"""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import httpx

from campaign_events.audit_store import DATABASE, RECORDS
from campaign_events.erasing import hide_in, holding
from campaign_events.uploads.phones import PhoneReader, Unusable, parts_of
from campaign_events.writings import Writings
from carillon.api_client import Person, check_reachable
from carillon.backup.mongo_dump import DATABASES
from carillon.errors import PlainError
from carillon.servers.connections import Mongo, mongo_at
from carillon.stack_file import read_stack_file
from carillon.tokens.identity import DEMO_WORKSPACE, Identity
from carillon.tokens.issuer import DevelopmentIssuer

PATIENCE_S = 600.0
SUBJECT, NAME = "dev-operator", "Local Operator"


class NoPhoneError(PlainError):
    """What was given is no phone number."""


@dataclass(frozen=True, slots=True)
class Gone:
    """What was erased, and where the phone can still be read."""

    erased: dict[str, int]
    left: dict[str, int]
    """Collections, with how many of their documents."""


async def erase(data: Path, text: str, *, region: str | None, workspace: str | None) -> Gone:
    """Erase a person in one workspace or, if none is named, in all.

    Raises:
        NoPhoneError: the text is no phone number.
        ProblemError: a service did not answer; do it again.
    """
    try:
        phone = PhoneReader(region).read(text)
    except Unusable as error:
        raise NoPhoneError(
            f"--phone: {error}. Write it with its country code, +49…, or add --region DE."
        ) from error
    stack = read_stack_file(data)
    erased = Counter(await _by_services(data, stack.url, phone, workspace))
    writings = Writings(*parts_of(phone))
    meant = {} if workspace is None else {"workspace": workspace}
    async with mongo_at(stack.mongo_url) as mongo:
        erased["audit_records"] = await hide_in(mongo[DATABASE][RECORDS], meant, writings)
        left = {} if workspace is not None else await _left(mongo, writings)
    return Gone({what: count for what, count in erased.items() if count}, left)


async def _by_services(data: Path, url: str, phone: str, workspace: str | None) -> dict[str, int]:
    everywhere = workspace is None
    role = "super_admin" if everywhere else "admin"
    who = Identity(SUBJECT, NAME, workspace or DEMO_WORKSPACE, (role,))
    path = "/ops/erase?everywhere=true" if everywhere else "/ops/erase"
    async with httpx.AsyncClient(base_url=url, timeout=PATIENCE_S) as http:
        await check_reachable(http)
        person = Person(http, DevelopmentIssuer.load(data / "issuer"), who)
        counts: dict[str, int] = (await person.ask("POST", path, {"phone": phone}))["erased"]
    return counts


async def _left(mongo: Mongo, writings: Writings) -> dict[str, int]:
    """Look at everything, and tell where the phone can still be read."""
    left: dict[str, int] = {}
    for database in DATABASES:
        for name in await mongo[database].list_collection_names():
            async for found in holding(mongo[database][name], {}, writings):
                place = f"{database}.{name}"
                left[place] = left.get(place, 0) + len(found)
    return left
