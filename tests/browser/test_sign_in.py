"""The ways in: a link of this machine, once; a token; and an OpenID Connect provider."""

import json
import os
import re
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Route, expect

from carillon.servers.edge import Edge
from carillon.servers.ports import Ports
from carillon.supervisor import Supervised
from dashboards import PAGES, Desk, faults
from identity_provider import CLIENT, IdentityProvider
from stacks import CARILLON

pytestmark = [
    pytest.mark.serial,
    pytest.mark.timeout(90),
    pytest.mark.asyncio(loop_scope="session"),
]


def link_for(desk: Desk, *arguments: str) -> str:
    """A link as `carillon sign-in` prints it."""
    where = ("--data", str(desk.platform.data), "--workspace", desk.crew.workspace)
    said = subprocess.run(
        [CARILLON, "sign-in", *where, *arguments], check=True, capture_output=True, text=True
    )
    return said.stdout.strip()


async def test_a_link_of_this_machine_signs_one_person_in_once(desk: Desk) -> None:
    link = link_for(desk, "--sub", "vic", "--name", "Vic Viewer", "--role", "viewer")
    async with desk.stranger() as page:
        await page.goto(link)
        await expect(page).to_have_url(re.compile(r"/dashboard$"))
        await expect(page.get_by_role("button", name="Vic Viewer")).to_contain_text(
            desk.crew.workspace
        )
        await page.reload()
        await expect(page.get_by_role("heading", name="Overview", level=1)).to_be_visible()
        await page.get_by_role("button", name="Vic Viewer").click()
        await page.get_by_role("menuitem", name="Sign out").click()
        await expect(page).to_have_url(re.compile(r"/dashboard/sign-in$"))
    async with desk.stranger() as page:
        await page.goto(link)
        await expect(page.get_by_role("alert")).to_contain_text("This link was used already")
        assert "code=" not in page.url
        assert await faults(page) == []


async def test_who_is_not_signed_in_goes_on_to_where_they_wanted(desk: Desk) -> None:
    token = desk.crew.author.headers["Authorization"].removeprefix("Bearer ")
    async with desk.stranger() as page:
        await page.goto("/dashboard/campaigns?status=draft")
        await expect(page).to_have_url(re.compile("/dashboard/sign-in$"))
        await page.get_by_role("button", name="Or paste an access token").click()
        field = page.locator("input[type=password]")
        await field.fill("nonsense")
        await page.get_by_role("button", name="Use this token").click()
        await expect(page.get_by_text("This is no token")).to_be_visible()
        await field.fill(token)
        await page.get_by_role("button", name="Use this token").click()
        await expect(page).to_have_url(re.compile(r"/dashboard/campaigns\?status=draft$"))


async def test_a_token_that_is_not_accepted_any_more_leads_back(desk: Desk) -> None:
    async with desk.window() as page:
        await expect(page.get_by_test_id("kpi-total")).to_be_visible()

        async def refused(route: Route) -> None:
            problem = {"type": "t", "title": "No", "status": 401, "detail": "No", "code": "x"}
            await route.fulfill(status=401, body=json.dumps(problem))

        await page.route("**/api/v1/campaigns*", refused)
        await page.get_by_role("link", name="Campaigns", exact=True).click()
        await expect(page.get_by_text("Your session is over.")).to_be_visible()


async def test_the_page_runs_nothing_but_its_own_files(desk: Desk) -> None:
    async with desk.stranger() as page:
        answer = await page.goto("/dashboard/sign-in")
        assert answer is not None
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'; script-src 'self';" in policy
        assert "<script>" not in await answer.text()
        asset = await page.locator("script[src]").first.get_attribute("src")
        kept = (await page.request.get(str(asset))).headers["cache-control"]
        assert "immutable" in kept


@pytest_asyncio.fixture(loop_scope="session")
async def provider() -> AsyncIterator[IdentityProvider]:
    async with IdentityProvider.running() as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def place(tmp_path: Path, provider: IdentityProvider) -> AsyncIterator[str]:
    """The dashboard at an edge that is told about the provider; no service is behind it."""
    ports = Ports(tmp_path / "ports.json")
    sign_in = {"kind": "oidc", "authority": provider.url, "client_id": CLIENT}
    edge = Edge(tmp_path / "edge", ports.take("edge"), {}, PAGES.parent, sign_in)
    program = edge.program(tmp_path / "edge.log", dict(os.environ))
    caddy = Supervised(program, lambda _: None)
    await caddy.start()
    yield edge.url
    await caddy.stop()


async def test_a_provider_signs_people_in_by_code_and_pkce(
    desk: Desk, place: str, provider: IdentityProvider
) -> None:
    provider.redirect = f"{place}/dashboard/signed-in"
    asked: list[str] = []

    async def noted(route: Route) -> None:
        asked.append(route.request.headers.get("authorization", ""))
        await route.fulfill(status=503, body="{}")

    async with desk.stranger(base_url=place) as page:
        await page.route("**/api/v1/**", noted)
        await page.goto("/dashboard/senders")
        await page.get_by_role("button", name="Sign in with your account").click()
        await expect(page).to_have_url(f"{place}/dashboard/senders")
        await expect(page.get_by_role("button", name="Olivia Outside")).to_contain_text("acme")
        await expect(page.get_by_role("heading", level=1)).to_be_visible()
        assert set(asked) == {f"Bearer {provider.access_token}"}
        assert provider.challenged, "a code is of no use without its verifier"
