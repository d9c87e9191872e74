"""The overview: every element of it, as the platform tells, live, lost and found again."""

import asyncio
import json
import re
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from playwright.async_api import Page, Route, expect

from dashboards import PHONE, Desk, Numbers, faults
from stack_campaigns import csv_of

pytestmark = [
    pytest.mark.serial,
    pytest.mark.timeout(120),
    pytest.mark.asyncio(loop_scope="session"),
]

type Change = Callable[[dict[str, Any]], None]


async def a_workspace(desk: Desk, numbers: Numbers) -> dict[str, str]:
    """One campaign of each kind: waiting, done, sending, cancelled."""
    crew = desk.crew
    sender = await crew.sender()
    waiting = await crew.campaign(sender, name="Waits for a moderator")
    await crew.uploaded(waiting["id"], csv_of(numbers(3)))
    done = await crew.launched(numbers(40), name="All sent")
    sending = await crew.launched(numbers(900), name="Under way", link_id="slow")
    gone = await crew.launched(numbers(5), name="Given up", auto_start=False)
    await crew.until_status(gone, "pending")
    await crew.act(gone, "stop")
    await crew.until_status(done, "done")
    await crew.until_status(sending, "sending")
    return {"waiting": waiting["id"], "done": done, "sending": sending, "cancelled": gone}


async def test_every_number_of_the_overview_is_shown(desk: Desk, numbers: Numbers) -> None:
    made = await a_workspace(desk, numbers)
    async with desk.window() as page:
        await expect(page).to_have_title("Overview · Carillon")
        for name, shown in (("total", "4"), ("active", "1"), ("completed", "1"), ("failed", "0")):
            await expect(page.get_by_test_id(f"kpi-{name}")).to_contain_text(shown)

        await expect(page.get_by_test_id("pulse-in-flight")).to_have_text(re.compile(r"^[1-9]\d*$"))
        await expect(page.get_by_test_id("pulse-delivered")).to_have_text(re.compile(r"^\d+$"))
        await expect(page.get_by_test_id("pulse-core")).to_have_text("ok")

        for part in ("delivered", "in_flight", "errors"):
            await expect(page.get_by_test_id(f"donut-{part}")).to_have_text(re.compile(r"\d"))
        await expect(
            page.get_by_role("img", name=re.compile("delivered, .* in flight"))
        ).to_be_visible()

        for step, count in (
            ("new", 1),
            ("building", 0),
            ("pending", 0),
            ("sending", 1),
            ("done", 1),
        ):
            row = page.get_by_test_id(f"funnel-{step}")
            await expect(row).to_contain_text(f"{step.title()}{count}")
        await expect(page.get_by_test_id("funnel-new")).to_contain_text("1 pending moderation")
        for way_out, count in (("Failed", 0), ("Cancelled", 1), ("Expired", 0)):
            await expect(page.get_by_test_id(f"funnel-{way_out.lower()}")).to_have_text(
                f"{way_out} {count}"
            )

        await expect(page.get_by_test_id("activity").locator("svg").first).to_be_visible()
        await page.get_by_role("button", name="Show as a table").click()
        hours = page.get_by_role("table", name="Messages by hour").get_by_role("row")
        await expect(hours).to_have_count(25)

        authors = page.get_by_role("region", name="Top authors, last 30 days")
        await expect(authors.get_by_role("listitem")).to_contain_text(["Ann4 campaigns"])

        for check, said in (
            ("core", re.compile(r"reachable, [\d.]+ ms")),
            ("schema", re.compile(r"version \d+ ✓")),
            ("retention", "90 days"),
            ("fallback", "file empty ✓"),
        ):
            await expect(page.get_by_test_id(f"check-{check}")).to_contain_text(said)
        await expect(page.get_by_text("Live", exact=True)).to_be_visible()
        await expect(page.get_by_text(re.compile(r"^as of \d\d:\d\d:\d\d$"))).to_be_visible()

        recent = page.get_by_test_id("recent").get_by_role("row")
        await expect(recent).to_have_count(4)  # a head, and no campaign that waits for a moderator
        await expect(recent.nth(1)).to_contain_text("Given up")
        await recent.nth(2).get_by_text("Sending").click()
        await expect(page).to_have_url(re.compile(f"/dashboard/campaigns/{made['sending']}$"))
        await page.go_back()
        await page.get_by_role("link", name="All campaigns →").click()
        await expect(page).to_have_url(re.compile("/dashboard/campaigns$"))
    assert desk.contract.seen > 0


async def test_what_happens_is_seen_without_a_reload(desk: Desk, numbers: Numbers) -> None:
    async with desk.window() as page:
        await expect(page.get_by_text("No campaigns yet")).to_be_visible()
        await expect(page.get_by_text("Nothing is being sent")).to_be_visible()
        campaign = await desk.crew.launched(numbers(20), name="Seen at once")
        await expect(page.get_by_test_id("kpi-total")).to_contain_text("1")
        await expect(page.get_by_test_id("recent")).to_contain_text("Seen at once")
        await desk.crew.until_status(campaign, "done")
        await expect(page.get_by_test_id("kpi-completed")).to_contain_text("1")
        await expect(page.get_by_test_id("recent").get_by_text("Done")).to_be_visible()
        assert await page.evaluate("performance.getEntriesByType('navigation').length") == 1


async def test_a_lost_stream_is_told_and_comes_back(desk: Desk) -> None:
    async with desk.window() as page:
        await expect(page.get_by_text("Live", exact=True)).to_be_visible()
        await desk.platform.kill("read_model")
        lost = page.get_by_role("alert").get_by_text("Live updates are interrupted.")
        await expect(lost).to_be_visible()
        await expect(page.get_by_text("Updates interrupted")).to_be_visible()
        await expect(page.get_by_text(re.compile(r"as of \d\d:\d\d:\d\d\."))).to_be_visible()
        await expect(lost).to_be_hidden(timeout=60_000)
        await expect(page.get_by_text("Live", exact=True)).to_be_visible()


@asynccontextmanager
async def without_core(desk: Desk) -> AsyncIterator[None]:
    """The dispatcher stands still."""
    await desk.platform.signal("dispatcher", signal.SIGSTOP)
    try:
        yield
    finally:
        await desk.platform.signal("dispatcher", signal.SIGCONT)


async def test_while_core_is_down_a_banner_says_so_and_nothing_can_be_started(
    desk: Desk, numbers: Numbers
) -> None:
    ready = await desk.crew.launched(numbers(3), name="Ready to go", auto_start=False)
    await desk.crew.until_status(ready, "pending")
    async with desk.window("author") as page:
        await expect(page.get_by_test_id("pulse-core")).to_have_text("ok")
        async with without_core(desk):
            banner = page.get_by_text("Core is down. Campaigns can be prepared")
            await expect(banner).to_be_visible()
            await expect(page.get_by_test_id("pulse-core")).to_have_text("down")
            await expect(page.get_by_test_id("check-core")).to_contain_text("not reachable")
            assert await faults(page) == []

            await page.get_by_role("link", name="Campaigns", exact=True).click()
            start = page.get_by_role("button", name="Start Ready to go")
            await expect(start).to_have_attribute("aria-disabled", "true")
            await start.hover()
            await expect(page.get_by_role("tooltip")).to_have_text(
                "Core is down: nothing can be started until it is back."
            )
            await start.click(force=True)
        await expect(banner).to_be_hidden(timeout=30_000)
        assert (await desk.crew.seen(f"/campaigns/{ready}"))["status"] == "pending"
        await start.click()
        await expect(page.get_by_role("table").get_by_text("Done")).to_be_visible(timeout=30_000)


@asynccontextmanager
async def told(page: Page, change: Change) -> AsyncIterator[None]:
    """The platform says something rare, and no stream corrects it."""

    async def changed(route: Route) -> None:
        answer = await route.fetch()
        body = await answer.json()
        change(body)
        await route.fulfill(response=answer, body=json.dumps(body))

    await page.route("**/api/v1/overview", changed)
    await page.route("**/api/v1/overview/stream", lambda route: route.abort())
    yield


def rare(overview: dict[str, Any]) -> None:
    overview["delivery"] = {"delivered": 0, "in_flight": 0, "errors": 0, "state": "loading"}
    overview["diagnostics"]["db_schema"] |= {"version": 1, "expected": 2, "ok": False}
    overview["diagnostics"]["audit"] |= {
        "fallback_bytes": 123_456,
        "fallback_lines": 99,
        "fallback": "buffering",
    }


async def test_what_is_rare_is_told_as_well(desk: Desk) -> None:
    async with desk.window(path="/dashboard/senders") as page, told(page, rare):
        await page.get_by_role("link", name="Overview", exact=True).click()
        await expect(page.get_by_text("loading progress…")).to_be_visible()
        schema = page.get_by_test_id("check-schema")
        await expect(schema).to_contain_text("version 1, expected 2")
        await expect(schema.get_by_role("img", name="needs a look")).to_be_visible()
        await expect(page.get_by_test_id("check-fallback")).to_contain_text("123.5 kB")


async def test_an_overview_that_can_not_be_read_says_so_and_is_tried_again(desk: Desk) -> None:
    async with desk.window(path="/dashboard/senders") as page:
        problem = {"type": "t", "title": "Oh", "status": 500, "detail": "Oh no.", "code": "x"}
        broken = {"status": 500, "content_type": "application/problem+json"}
        await page.route(
            re.compile("/api/v1/overview(/stream)?$"),
            lambda route: route.fulfill(**broken, body=json.dumps(problem)),
        )
        await page.get_by_role("link", name="Overview", exact=True).click()
        alert = page.get_by_role("alert").filter(has_text="could not be loaded")
        await expect(alert).to_contain_text("Oh no.")
        await page.unroute_all()
        await alert.get_by_role("button", name="Try again").click()
        await expect(page.get_by_test_id("kpi-total")).to_be_visible()


async def test_the_funnel_shows_voice_campaigns_too(desk: Desk) -> None:
    body = {"channel": "voice", "name": "Calls", "destination": "sim:agents"}
    await desk.crew.post("/campaigns", body)
    async with desk.window("viewer") as page:
        choice = page.get_by_role("radiogroup", name="Channel of the funnel")
        await choice.get_by_text("Voice", exact=True).click()
        await expect(page.get_by_test_id("funnel-draft")).to_contain_text("1")
        await expect(page.get_by_test_id("funnel-completed")).to_contain_text("0")
        await expect(page.get_by_role("link", name="New campaign")).to_be_hidden()


async def test_the_overview_can_be_used_by_everybody(desk: Desk, numbers: Numbers) -> None:
    await asyncio.gather(*(desk.crew.launched(numbers(5), name=f"No {n}") for n in range(3)))
    for options in ({"color_scheme": "light"}, {"color_scheme": "dark", "viewport": PHONE}):
        async with desk.window(**options) as page:
            await expect(page.get_by_test_id("recent")).to_be_visible()
            assert await faults(page) == []
            wide = "document.documentElement.scrollWidth <= innerWidth"
            assert await page.evaluate(wide), "nothing sticks out"
