"""Who may do what: tokens, roles and workspaces, tried at the edge on every service."""

import hmac
import json
import time
import uuid
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from carillon.tokens.issuer import ALGORITHM, AUDIENCE, ISSUER
from log_ends import log_ends
from problem_documents import problem
from stack_campaigns import Crew, csv_of
from stacks import Platform, ask

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

ROLES = ("viewer", "author", "moderator", "admin", "super_admin")
AUTHORS = {"author", "admin", "super_admin"}
MODERATORS = {"moderator", "admin", "super_admin"}
ADMINISTRATORS = {"admin", "super_admin"}
NOBODY = "01900000-0000-7000-8000-000000000000"
CAMPAIGN = {
    "channel": "sms",
    "name": "x",
    "text": "x",
    "sender_id": NOBODY,
    "link_id": "sim",
    "mode": "on_demand",
}
# One door of each service: campaign, moderation, dispatcher, read_model.
DOORS = (
    ("POST", "/campaigns"),
    ("GET", "/senders"),
    ("GET", "/links"),
    ("GET", "/overview/kpi"),
)


@dataclass(frozen=True)
class Write:
    """A request that changes something, who may make it, and its answer when nothing is there."""

    method: str
    path: str
    allowed: set[str]
    answer: int = 404
    body: Any = None

    def __str__(self) -> str:
        return f"{self.method} {self.path.replace(NOBODY, 'id')}"

    async def by(self, client: httpx.AsyncClient) -> httpx.Response:
        if isinstance(self.body, str):
            headers = {"Content-Type": "text/csv"}
            return await client.request(self.method, self.path, content=self.body, headers=headers)
        return await client.request(self.method, self.path, json=self.body)


WRITES = (
    Write("POST", "/campaigns", AUTHORS, 422, CAMPAIGN),
    Write("PATCH", f"/campaigns/{NOBODY}", AUTHORS, 404, {"name": "y"}),
    Write("DELETE", f"/campaigns/{NOBODY}", AUTHORS),  # one for SMS: super_admin
    Write("PUT", f"/campaigns/{NOBODY}/contacts", AUTHORS, 404, "phone\n+4915112000000\n"),
    Write("POST", f"/campaigns/{NOBODY}/start", AUTHORS),
    Write("POST", f"/campaigns/{NOBODY}/pause", AUTHORS),
    Write("POST", f"/campaigns/{NOBODY}/resume", AUTHORS),
    Write("POST", f"/campaigns/{NOBODY}/stop", AUTHORS),
    Write("POST", f"/moderation/campaigns/{NOBODY}/approve", MODERATORS, 404, {}),
    Write("POST", f"/moderation/campaigns/{NOBODY}/reject", MODERATORS, 404, {"note": "no"}),
    Write("POST", f"/moderation/senders/{NOBODY}/revisions/1/approve", MODERATORS, 404, {}),
    Write(
        "POST", f"/moderation/senders/{NOBODY}/revisions/1/reject", MODERATORS, 404, {"note": "no"}
    ),
    Write("POST", "/senders", AUTHORS, 201, {"name": "Shop", "saddr": "Shop"}),
    Write("POST", f"/senders/{NOBODY}/revisions", AUTHORS, 404, {"saddr": "Shop2"}),
    Write("POST", f"/senders/{NOBODY}/archive", ADMINISTRATORS),
    Write("POST", "/suppressions", ADMINISTRATORS, 201, {"phone": "+4915112999999"}),
    Write("DELETE", f"/suppressions/{NOBODY}", ADMINISTRATORS),
)
READS = (
    *("/overview", "/overview/kpi", "/overview/pulse", "/overview/delivery", "/overview/funnel"),
    *("/overview/activity", "/overview/top-authors", "/overview/recent", "/campaigns", "/links"),
    *("/senders", "/moderation/campaigns", "/moderation/senders", "/suppressions", "/diagnostics"),
)


@pytest.mark.parametrize("role", ROLES)
async def test_a_role_may_write_what_the_table_says_and_nothing_else(
    up: Platform, role: str
) -> None:
    before = await log_ends(up)
    wrote = 0
    async with up.client(f"w{uuid.uuid4().hex[:12]}", role) as client:
        for write in WRITES:
            answer = await write.by(client)
            if role not in write.allowed:
                problem(answer, 403, "forbidden")
                continue
            assert answer.status_code == write.answer, f"{role} {write}: {answer.text}"
            wrote += 2 if write.path == "/senders" else write.answer == 201
    after = await log_ends(up)
    assert sum(after) - sum(before) == wrote


@pytest.mark.parametrize("role", ROLES)
async def test_every_role_may_read_everything_of_its_workspace(up: Platform, role: str) -> None:
    async with up.client(f"w{uuid.uuid4().hex[:12]}", role) as client:
        for path in READS:
            answer = await client.get(path)
            assert answer.status_code == 200, f"{path}: {answer.text}"


async def test_a_token_without_a_known_role_may_do_nothing(up: Platform) -> None:
    async with up.client("w1", "janitor") as client:
        for path in READS:
            problem(await client.get(path), 403, "forbidden")


@pytest.fixture
async def strangers(crew: Crew, up: Platform) -> AsyncIterator[Mapping[str, httpx.AsyncClient]]:
    """People of another workspace, by role."""
    async with AsyncExitStack() as open_clients:
        yield {
            role: await open_clients.enter_async_context(
                up.client(f"x{crew.workspace}", role, sub="eve")
            )
            for role in ("author", "moderator", "admin", "super_admin")
        }


async def test_what_belongs_to_another_workspace_is_not_there(
    crew: Crew, strangers: Mapping[str, httpx.AsyncClient], numbers: Callable[[int], list[str]]
) -> None:
    sender = await crew.sender()
    made = (await crew.campaign(sender))["id"]
    await crew.uploaded(made, csv_of(numbers(3)))
    for client in strangers.values():
        for path in ("", "/messages", "/stream"):
            problem(await client.get(f"/campaigns/{made}{path}"), 404, "not_found")
        for path in ("/campaigns", "/senders", "/moderation/campaigns", "/overview/recent"):
            assert (await client.get(path)).json()["items"] == []
        assert (await client.get("/overview/kpi")).json()["total"] == 0
    for write in WRITES:
        if NOBODY not in write.path or "suppressions" in write.path:
            continue
        own = sender if "senders" in write.path else made
        foreign = Write(
            write.method, write.path.replace(NOBODY, own), write.allowed, body=write.body
        )
        for role, client in strangers.items():
            if role in write.allowed:
                problem(await foreign.by(client), 404, "not_found")
    foreign_sender = await strangers["author"].post(
        "/campaigns", json={**CAMPAIGN, "sender_id": sender}
    )
    problem(foreign_sender, 422, "invalid")
    assert (await crew.seen(f"/campaigns/{made}"))["status"] == "new"


async def test_a_super_admin_and_nobody_else_looks_into_other_workspaces(
    crew: Crew, strangers: Mapping[str, httpx.AsyncClient]
) -> None:
    made = (await crew.campaign(await crew.sender()))["id"]
    await crew.seen(f"/campaigns/{made}")
    query = {"workspace": crew.workspace}
    for role, client in strangers.items():
        answer = await client.get(f"/campaigns/{made}", params=query)
        if role == "super_admin":
            assert answer.json()["id"] == made
        else:
            problem(answer, 403, "forbidden")
    await ask(strangers["super_admin"], "DELETE", f"/campaigns/{made}", params=query)
    answer = await crew.author.post(f"/campaigns/{made}/stop")
    problem(answer, 404, "not_found")


async def test_a_viewer_sees_no_whole_phone_number(
    up: Platform, crew: Crew, numbers: Callable[[int], list[str]]
) -> None:
    phones = numbers(3)
    campaign = await crew.launched(phones)
    await crew.until_status(campaign, "done")
    async with up.client(crew.workspace, "viewer") as viewer:
        text = (await viewer.get(f"/campaigns/{campaign}/messages")).text
    assert not [phone for phone in phones if phone in text]
    assert phones[0] in (await crew.author.get(f"/campaigns/{campaign}/messages")).text


def claims(**other: Any) -> dict[str, Any]:
    now = int(time.time())
    usual = {"iss": ISSUER, "aud": AUDIENCE, "sub": "eve", "name": "Eve", "workspace": "w1"}
    return {**usual, "roles": ["admin"], "iat": now, "exp": now + 600, **other}


def forged(public_key: bytes, kid: str) -> str:
    """A token whose secret is what everybody may know, for verifiers that believe its header."""
    header = {"alg": "HS256", "typ": "JWT", "kid": kid}
    head, body = (
        urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in (header, claims())
    )
    signature = hmac.digest(public_key, head + b"." + body, "sha256")
    return b".".join((head, body, urlsafe_b64encode(signature).rstrip(b"="))).decode()


def wrong_tokens(up: Platform) -> dict[str, str | None]:
    """Whole headers, by what is wrong with them; None is no header at all."""
    issuer = up.issuer
    kid = issuer.public_jwk()["kid"]

    def signed(key: Any = issuer.key, kid: str | None = kid, **other: Any) -> str:
        headers = {"kid": kid} if kid else {}
        return "Bearer " + jwt.encode(claims(**other), key, algorithm=ALGORITHM, headers=headers)

    def unsigned(algorithm: str) -> str:
        good = signed().removeprefix("Bearer ").split(".")
        header = urlsafe_b64encode(f'{{"alg":"{algorithm}","kid":"{kid}"}}'.encode()).rstrip(b"=")
        return f"Bearer {header.decode()}.{good[1]}."

    public = issuer.key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    now = int(time.time())
    return {
        "none": None,
        "empty": "Bearer",
        "basic": "Basic ZXZlOmV2ZQ==",
        "garbage": "Bearer garbage",
        "three garbages": "Bearer a.b.c",
        "another key": signed(ec.generate_private_key(ec.SECP256R1())),
        "an unknown key id": signed(kid="somebody-else"),
        "no key id": signed(kid=None),
        "cut": signed()[:-6],
        "expired": signed(iat=now - 900, exp=now - 60),
        "never expiring": signed(exp=None),
        "from the future": signed(nbf=now + 600),
        "another audience": signed(aud="somebody"),
        "another issuer": signed(iss="https://elsewhere.test"),
        "alg none": unsigned("none"),
        "alg None": unsigned("None"),
        "signed with the public key": f"Bearer {forged(public, kid)}",
        "no roles": signed(roles=None),
        "roles as text": signed(roles="admin"),
        "no workspace": signed(workspace=None),
        "a workspace of wildcards": signed(workspace="*"),
        "a workspace with dots": signed(workspace="w1.>"),
    }


@pytest.mark.parametrize(("method", "path"), DOORS)
async def test_no_service_believes_a_wrong_token(up: Platform, method: str, path: str) -> None:
    before = await log_ends(up)
    for what, header in wrong_tokens(up).items():
        async with up.stranger({"Authorization": header} if header is not None else {}) as client:
            answer = await client.request(method, path, json=CAMPAIGN if method == "POST" else None)
        problem(answer, 401, "unauthorized", what)
    assert await log_ends(up) == before
