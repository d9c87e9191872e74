"""Requests that schemathesis makes up from each service's own OpenAPI, by somebody of each role.

Bigger with `CARILLON_FUZZ=examples-per-operation` (`make fuzz`).
"""

import json
import os
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import pytest_asyncio
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from carillon.tokens.identity import Identity
from stack_campaigns import Crew, csv_of
from stacks import SERVICES, Platform, ask, asked

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200 if "CARILLON_FUZZ" in os.environ else 120)]

EXAMPLES = int(os.environ.get("CARILLON_FUZZ", "3"))
ROLES = ("viewer", "author", "moderator", "admin", "super_admin")
SECRET = "Zanzibar"
"""Stands in everything that the other workspace has written."""
STREAM = "/stream"
_many = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    derandomize="CARILLON_FUZZ" not in os.environ,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


@dataclass(frozen=True)
class Other:
    """A workspace that nobody here belongs to, and the ids of what it has."""

    workspace: str
    ids: dict[str, str]
    kept: Any


async def _seen(crew: Crew) -> Any:
    """What there is to see in a workspace, without what moves by itself."""
    lists = ("/campaigns", "/senders", "/suppressions", "/settings")
    return [await crew.seen(path) for path in lists]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def other(up: Platform) -> Other:
    crew = Crew.of(up)
    sender = await crew.sender(SECRET)
    made = await crew.campaign(sender, name=SECRET, text=f"{SECRET} {{{{name}}}}")
    await crew.uploaded(made["id"], csv_of(["+4915112999999"]).replace("N0", SECRET))
    await crew.approve(made["id"])
    await crew.until_status(made["id"], "done")
    async with up.client(crew.workspace, "admin") as admin:
        body = {"phone": "+4915112999998", "reason": SECRET}
        entry = (await asked(admin, "POST", "/suppressions", json=body)).json()
        await ask(admin, "PATCH", "/settings", json={"retention_days": 77})
    ids = {"campaign_id": made["id"], "sender_id": sender, "entry_id": entry["id"]}
    seen = await _seen(crew)
    assert SECRET in json.dumps(seen)
    await crew.close()
    return Other(crew.workspace, ids, seen)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def own(up: Platform) -> dict[str, str]:
    """Things of the caller's own workspace, so that not every path ends in a 404."""
    crew = Crew.of(up, "fuzzed")
    sender = await crew.sender()
    made = await crew.campaign(sender)
    await crew.uploaded(made["id"], csv_of(["+4915112888888"]))
    await crew.close()
    return {"campaign_id": made["id"], "sender_id": sender, "number": "1"}


@pytest.fixture
async def untouched(up: Platform, other: Other) -> Any:
    """The other workspace is afterwards what it was before."""
    yield
    crew = Crew.of(up, other.workspace)
    assert await _seen(crew) == other.kept
    await crew.close()


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize("service", SERVICES)
def test_no_request_breaks_a_service_or_is_told_what_is_foreign(
    up: Platform, other: Other, own: dict[str, str], service: str
) -> None:
    url = up.file().services[service].url
    with ExitStack() as ending:
        people = [ending.enter_context(_session(up, role)) for role in ROLES]
        for operation in _operations(url):
            cases = _any_case(operation)
            for session in people:
                _fuzz(cases, session, other, own, url)


def _session(up: Platform, role: str) -> requests.Session:
    session = requests.Session()
    token = up.issuer.mint(Identity("fay", "Fay", "fuzzed", (role,)))
    session.headers["Authorization"] = f"Bearer {token}"
    return session


@pytest.mark.parametrize("service", SERVICES)
def test_whoever_shows_no_token_is_told_that_and_nothing_else(up: Platform, service: str) -> None:
    url = up.file().services[service].url
    for operation in _operations(url):

        @_many
        @given(case=_any_case(operation))
        def one(case: Any) -> None:
            assert case.call(base_url=url).status_code == httpx.codes.UNAUTHORIZED

        one()


def _operations(url: str) -> Iterator[Any]:
    for found in schemathesis.openapi.from_url(f"{url}/openapi.json").get_all_operations():
        assert isinstance(found, Ok), found
        yield found.ok()


def _any_case(operation: Any) -> st.SearchStrategy[Any]:
    """Requests that its schema allows, and ones that it does not."""
    good: st.SearchStrategy[Any] = operation.as_strategy(generation_mode=GenerationMode.POSITIVE)
    bad: st.SearchStrategy[Any] = operation.as_strategy(generation_mode=GenerationMode.NEGATIVE)
    return good | bad


def _fuzz(
    cases: st.SearchStrategy[Any],
    session: requests.Session,
    other: Other,
    own: dict[str, str],
    url: str,
) -> None:
    @_many
    @given(case=cases, ids=st.sampled_from([own, other.ids, {}]))
    def one(case: Any, ids: dict[str, str]) -> None:
        for name in case.path_parameters or {}:
            case.path_parameters[name] = ids.get(name, case.path_parameters[name])
        if case.operation.path.endswith(STREAM):
            status, kind, told = _beginning(case, session, url)
        else:
            answer = case.call_and_validate(base_url=url, session=session, checks=CHECKS)
            status, kind = answer.status_code, answer.headers.get("content-type", [""])[0]
            told = answer.content.decode(errors="replace")
        _judge(case, status, kind, told, other)

    one()


def _beginning(case: Any, session: requests.Session, url: str) -> tuple[int, str, str]:
    """What an answer without an end begins with."""
    sent = case.as_transport_kwargs(base_url=url)
    with session.request(**sent, stream=True, timeout=20) as answer:
        chunk = next(answer.iter_content(None), b"")
        kind = answer.headers["Content-Type"]
        return answer.status_code, kind, chunk.decode(errors="replace")


def _judge(case: Any, status: int, kind: str, told: str, other: Other) -> None:
    assert status < httpx.codes.INTERNAL_SERVER_ERROR, case.as_curl_command()
    assert SECRET not in told, case.as_curl_command()
    for name, foreign in other.ids.items():
        asked_for = (case.path_parameters or {}).get(name) == foreign
        tells_what_was_asked = "/audit" in case.path
        assert asked_for or tells_what_was_asked or foreign not in told, case.as_curl_command()
        assert not asked_for or status >= httpx.codes.BAD_REQUEST, case.as_curl_command()
    if status >= httpx.codes.BAD_REQUEST:
        assert kind == "application/problem+json", case.as_curl_command()
        assert json.loads(told)["code"]
