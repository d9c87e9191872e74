"""The list of campaigns: what each row shows, how one is found, and what may be done with it."""

import asyncio
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.async_api import Locator, Page, expect

from dashboards import PHONE, Desk, Numbers, faults
from stack_campaigns import csv_of

pytestmark = [
    pytest.mark.serial,
    pytest.mark.timeout(120),
    pytest.mark.asyncio(loop_scope="session"),
]

LIST = "/dashboard/campaigns"
VOICE = ("draft", "running", "paused", "completed")
BUTTONS = {
    "draft": ["Edit", "Clone", "Start", "Delete"],
    "running": ["Clone", "Pause", "Stop"],
    "paused": ["Edit", "Clone", "Resume", "Stop"],
    "completed": ["Clone", "Restart"],
    "pending": ["Clone", "Start", "Stop"],
    "done": ["Clone"],
}


def row(page: Page, campaign: str) -> Locator:
    return page.get_by_test_id(f"campaign-{campaign}")


async def buttons(page: Page, campaign: str, name: str) -> list[str]:
    found = row(page, campaign).get_by_role("group").get_by_role("button")
    labels = [await one.get_attribute("aria-label") or "" for one in await found.all()]
    return [label.removesuffix(f" {name}") for label in labels if not label.startswith("More")]


def closed_window() -> dict[str, Any]:
    """A window that opens at another time of the day: a campaign runs, and rings nobody."""
    now = datetime.now(UTC)
    start, end = ("22:00", "22:30") if now.hour < 12 else ("01:00", "01:30")
    return {"start": start, "end": end, "timezone": "UTC"}


async def voice(desk: Desk, numbers: Numbers, status: str) -> str:
    """A voice campaign in this status, which is its name too."""
    crew = desk.crew
    settings = {"time_window": closed_window(), "campaign_mode": "continuous"}
    body = {"channel": "voice", "name": status.title(), "destination": "sim:agents", **settings}
    campaign = str((await crew.post("/campaigns", body | {"caller_ids": ["+442079460000"]}))["id"])
    await crew.uploaded(campaign, csv_of(numbers(4)))
    actions = {"draft": (), "running": ("start",), "paused": ("start", "pause")}
    for action in actions.get(status, ("start", "stop")):
        await crew.act(campaign, action)
    while (await crew.seen(f"/campaigns/{campaign}"))["status"] != status:
        await asyncio.sleep(0.1)
    return campaign


async def test_each_status_has_its_buttons_and_they_work(desk: Desk, numbers: Numbers) -> None:
    found = await asyncio.gather(*(voice(desk, numbers, status) for status in VOICE))
    made = dict(zip(VOICE, found, strict=True))
    made["pending"] = await desk.crew.launched(numbers(2), name="Pending", auto_start=False)
    made["done"] = await desk.crew.launched(numbers(2), name="Done")
    for status in ("pending", "done"):
        await desk.crew.until_status(made[status], status)
    async with desk.window("author", path=LIST) as page:
        for status, campaign in made.items():
            await expect(row(page, campaign)).to_contain_text(status, ignore_case=True)
            assert await buttons(page, campaign, status.title()) == BUTTONS[status]

        await row(page, made["running"]).get_by_role("button", name="Pause Running").click()
        await expect(row(page, made["running"])).to_contain_text("Paused")
        await row(page, made["paused"]).get_by_role("button", name="Resume Paused").click()
        await expect(row(page, made["paused"])).to_contain_text("Running")

        await row(page, made["completed"]).get_by_role("button", name="Restart Completed").click()
        await expect(row(page, made["completed"])).to_contain_text("Draft")
        restarted = re.compile(r"Restarted by Ann at \d")
        await expect(row(page, made["completed"])).to_contain_text(restarted)
        again = ["Edit", "Clone", "Cancel restart", "Start"]
        assert await buttons(page, made["completed"], "Completed") == again

        await row(page, made["running"]).get_by_role("button", name="Stop Running").click()
        await page.get_by_role("dialog").get_by_role("button", name="Stop campaign").click()
        await expect(row(page, made["running"])).to_contain_text("Completed")


async def test_a_campaign_is_deleted_only_when_that_was_meant(desk: Desk, numbers: Numbers) -> None:
    draft = await voice(desk, numbers, "draft")
    async with desk.window("author", path=LIST) as page:
        delete = row(page, draft).get_by_role("button", name="Delete Draft")
        await delete.click()
        dialog = page.get_by_role("dialog", name="Delete this campaign?")
        await dialog.get_by_role("button", name="Cancel").click()
        await expect(dialog).to_be_hidden()
        assert (await desk.crew.seen(f"/campaigns/{draft}"))["status"] == "draft"
        await delete.click()
        await dialog.get_by_role("button", name="Delete campaign").click()
        await expect(page.get_by_text("No campaigns yet")).to_be_visible()


async def test_a_copy_is_opened_at_once(desk: Desk, numbers: Numbers) -> None:
    draft = await voice(desk, numbers, "draft")
    async with desk.window("author", path=LIST) as page:
        await row(page, draft).get_by_role("button", name="Clone Draft").click()
        await expect(page).to_have_url(re.compile(f"{LIST}/(?!{draft})[0-9a-f-]{{36}}$"))
        await expect(page.get_by_text("Draft was copied.")).to_be_visible()


async def test_what_the_platform_refuses_is_told_with_every_reason(desk: Desk) -> None:
    body = {"channel": "voice", "name": "Nobody", "destination": "sim:agents"}
    await desk.crew.post("/campaigns", body)
    async with desk.window("author", path=LIST) as page:
        await page.get_by_role("button", name="Start Nobody").click()
        alert = page.get_by_role("alert").filter(has_text="Start did not work")
        await expect(alert).to_contain_text("no contacts")
        await expect(alert).to_contain_text("caller id")


async def test_a_campaign_is_found_by_name_id_status_and_channel(
    desk: Desk, numbers: Numbers
) -> None:
    sms = await desk.crew.launched(numbers(2), name="Spring SALE")
    draft = await voice(desk, numbers, "draft")
    await desk.crew.until_status(sms, "done")
    permissions: dict[str, Any] = {"permissions": ["clipboard-read", "clipboard-write"]}
    async with desk.window("viewer", path=LIST, **permissions) as page:
        rows = page.get_by_role("table", name="Campaigns").get_by_role("row")
        await expect(rows).to_have_count(3)
        await expect(row(page, sms)).to_contain_text("100%")
        await expect(row(page, sms)).to_contain_text(re.compile(r"[012] delivered · 2 of 2"))
        await expect(row(page, draft)).to_contain_text("0 connected · 0 of 4")
        assert await buttons(page, draft, "Draft") == []

        search = page.get_by_role("searchbox", name="Search")
        for wanted, hit, miss in (
            ("spring sa", sms, draft),
            (draft.upper(), draft, sms),
        ):
            await search.fill(wanted)
            await expect(row(page, hit)).to_be_visible()
            await expect(row(page, miss)).to_be_hidden()
        await search.fill(sms[-8:])
        await expect(page.get_by_text("No campaign matches")).to_be_visible()
        await page.get_by_role("button", name="Take away all filters").click()
        await expect(rows).to_have_count(3)

        await page.get_by_label("Status").select_option("Draft")
        await expect(row(page, sms)).to_be_hidden()
        await expect(page).to_have_url(re.compile("status=draft"))
        await page.get_by_label("Status").select_option("Done")
        await expect(row(page, draft)).to_be_hidden()
        await page.get_by_label("Status").select_option("All statuses")
        await page.get_by_label("Channel").select_option("Voice")
        await expect(row(page, sms)).to_be_hidden()
        await expect(row(page, draft)).to_be_visible()

        await page.get_by_role("button", name="Copy the id of Draft").click()
        assert await page.evaluate("navigator.clipboard.readText()") == draft
        await expect(row(page, draft).get_by_text(draft[-8:])).to_be_visible()
        await page.get_by_role("link", name="Draft").click()
        await expect(page).to_have_url(re.compile(f"{LIST}/{draft}$"))


async def test_a_row_moves_while_its_campaign_does(desk: Desk, numbers: Numbers) -> None:
    async with desk.window("viewer", path=LIST) as page:
        await expect(page.get_by_text("No campaigns yet")).to_be_visible()
        campaign = await desk.crew.launched(numbers(100), name="On its way", link_id="slow")
        await expect(row(page, campaign)).to_contain_text("Sending", timeout=30_000)
        await expect(row(page, campaign)).to_contain_text(re.compile(r"[1-9]\d* delivered"))
        await expect(row(page, campaign)).to_contain_text("Done", timeout=30_000)
        await expect(row(page, campaign)).to_contain_text("100%")


async def test_the_list_can_be_used_by_everybody(desk: Desk, numbers: Numbers) -> None:
    await asyncio.gather(*(voice(desk, numbers, status) for status in ("draft", "paused")))
    for options in ({"color_scheme": "light"}, {"color_scheme": "dark", "viewport": PHONE}):
        async with desk.window("author", path=LIST, **options) as page:
            await expect(page.get_by_role("button", name="Delete Draft")).to_be_visible()
            assert await faults(page) == []
            wide = "document.documentElement.scrollWidth <= innerWidth"
            assert await page.evaluate(wide), "nothing sticks out"
