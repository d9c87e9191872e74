"""One campaign: what is going on, what may be done, every attempt to reach somebody."""

import re
from typing import Any

import pytest
from playwright.async_api import Locator, Page, expect

from dashboards import PHONE, Desk, Numbers, faults
from stack_campaigns import csv_of

pytestmark = [
    pytest.mark.serial,
    pytest.mark.timeout(150),
    pytest.mark.asyncio(loop_scope="session"),
]
AT_ALL_HOURS = {"start": "00:00", "end": "23:59", "timezone": "UTC"}
VOICE = {
    "channel": "voice",
    "name": "Reminders",
    "destination": "sim:agents",
    "caller_ids": ["+442079460000"],
    "concurrency_limit": 4,
    "time_window": AT_ALL_HOURS,
}
NO_PICKER = "delete window.showSaveFilePicker"
"""Its dialog is the system's; without it a report is an ordinary download."""


async def a_voice_campaign(desk: Desk, people: list[str], **settings: Any) -> str:
    made = await desk.crew.post("/campaigns", VOICE | settings)
    await desk.crew.uploaded(made["id"], csv_of(people))
    return str(made["id"])


def buttons(page: Page, campaign: str) -> Locator:
    return page.get_by_role("group", name=f"Actions for {campaign}").get_by_role("button")


async def shows(page: Page, campaign: str, *names: str) -> None:
    """These buttons stand there, no others; archiving is behind the dots."""
    wanted = re.compile(r"\w")
    await expect(buttons(page, campaign).filter(has_text=wanted)).to_have_text(list(names))


async def test_a_voice_campaign_is_watched_call_by_call(desk: Desk, numbers: Numbers) -> None:
    people = numbers(30)
    campaign = await a_voice_campaign(desk, people)
    async with desk.window("author", path=f"/dashboard/campaigns/{campaign}") as page:
        await shows(page, "Reminders", "Edit", "Clone", "Start", "Delete")
        await page.get_by_role("button", name="Start").click()
        await shows(page, "Reminders", "Clone", "Pause", "Stop")
        await expect(page.get_by_role("list", name="Live activity")).to_contain_text("of 4 seats")
        await expect(page.get_by_text("Dialling", exact=True).first).to_be_visible()
        calls = page.get_by_role("group", name="Calls")
        await expect(calls.get_by_role("row")).to_have_count(31)

        await page.get_by_label("Status").select_option("Completed")
        await expect(calls.get_by_text("Completed").first).to_be_visible(timeout=40_000)
        await calls.get_by_role("button", name=re.compile("Attempt trail of")).first.click()
        trail = page.get_by_role("dialog", name=re.compile(r"Attempt trail of \+49"))
        first = trail.get_by_role("list", name="Attempts").get_by_role("listitem").first
        for said in ("Attempt 1", "First call", "+442079460000", "Rang after", "Lasted"):
            await expect(first).to_contain_text(said)
        assert await faults(page) == []
        await page.keyboard.press("Escape")
        await expect(trail).to_be_hidden()

        await page.get_by_role("button", name="Pause").click()
        await shows(page, "Reminders", "Edit", "Clone", "Resume", "Stop")
        await page.get_by_role("button", name="Stop").click()
        dialog = page.get_by_role("dialog", name="Stop this campaign?")
        await dialog.get_by_role("button", name="Cancel").click()
        await expect(dialog).to_be_hidden()
        await page.get_by_role("button", name="Stop").click()
        await dialog.get_by_role("button", name="Stop campaign").click()
        await shows(page, "Reminders", "Clone", "Restart")

        await page.get_by_role("link", name="Overview").click()
        choice = page.get_by_role("radiogroup", name="Channel of the activity")
        await choice.get_by_text("Voice", exact=True).click()
        answered = page.get_by_role("img", name=re.compile(r"^Call attempts per hour: [1-9]"))
        await expect(answered).to_be_visible()
        assert await faults(page) == []


async def test_past_runs_can_be_looked_at(desk: Desk, numbers: Numbers) -> None:
    campaign = await a_voice_campaign(desk, numbers(3))
    await desk.crew.act(campaign, "start")
    await desk.crew.act(campaign, "stop")
    async with desk.window("author", path=f"/dashboard/campaigns/{campaign}") as page:
        await page.evaluate(NO_PICKER)
        await page.get_by_role("button", name="Restart").click()
        await shows(page, "Reminders", "Edit", "Clone", "Cancel restart", "Start")
        await page.get_by_label("Run").select_option("Run 1")
        await expect(page).to_have_url(re.compile(r"run=1"))
        await expect(page.get_by_text("These are the numbers of run 1.")).to_be_visible()
        await page.get_by_role("tab", name="Reports").click()
        async with page.expect_download() as saved:
            await page.get_by_role("button", name="Download CSV").click()
        report = await saved.value
        assert report.suggested_filename.endswith("-run-1.csv")
        assert (await report.path()).read_text().startswith("call_id,phone,sequence,kind")

        await page.get_by_role("tab", name="Activity").click()
        log = page.get_by_role("list", name="Activity")
        for said in ("Restart prepared", "Stopped", "Started", "Audience uploaded", "Created"):
            await expect(log).to_contain_text(said)
        await page.get_by_role("button", name="Show the current run").click()
        await page.get_by_role("button", name="Cancel restart").click()
        await shows(page, "Reminders", "Clone", "Restart")


async def test_every_reason_against_a_start_is_told_at_once(desk: Desk) -> None:
    settings = {"caller_ids": [], "concurrency_limit": 0}
    made = await desk.crew.post("/campaigns", VOICE | settings)
    async with desk.window("author", path=f"/dashboard/campaigns/{made['id']}") as page:
        await page.get_by_role("button", name="Start").click()
        told = page.get_by_role("alert").filter(has_text="Start did not work")
        for reason in ("no contacts left to call", "no caller id", "no seats"):
            await expect(told).to_contain_text(reason)
        await page.get_by_role("button", name="Delete").click()
        dialog = page.get_by_role("dialog", name="Delete this campaign?")
        await dialog.get_by_role("button", name="Delete campaign").click()
        await expect(page.get_by_text("Reminders was deleted.")).to_be_visible()


async def test_the_actions_of_an_sms_campaign_are_those_of_its_status(
    desk: Desk, numbers: Numbers
) -> None:
    crew = desk.crew
    settings = {"name": "Slow", "link_id": "slow", "auto_start": False}
    made = await crew.campaign(await crew.sender(), **settings)
    await crew.uploaded(made["id"], csv_of(numbers(1000)))
    async with desk.window("author", path=f"/dashboard/campaigns/{made['id']}") as page:
        await page.evaluate(NO_PICKER)
        await shows(page, "Slow", "Edit", "Clone", "Stop")
        await crew.approve(made["id"])
        await shows(page, "Slow", "Clone", "Start", "Stop")
        await page.get_by_role("button", name="Start").click()
        await shows(page, "Slow", "Clone", "Pause", "Stop")
        await page.get_by_label("Status").select_option("Delivered")
        await expect(page.get_by_role("cell", name="Delivered").first).to_be_visible()
        await page.get_by_label("Status").select_option("All statuses")
        await page.get_by_role("button", name="Next").click()
        await expect(page.get_by_role("cell", name="51", exact=True)).to_be_visible()
        await page.get_by_role("button", name="Pause").click()
        await shows(page, "Slow", "Clone", "Resume", "Stop")
        await page.get_by_role("tab", name="Settings").click()
        settings_shown = page.get_by_role("tabpanel")
        await expect(settings_shown).to_contain_text("Hello {{name}}, we are open.")
        await expect(settings_shown).to_contain_text("Shop")
        await page.get_by_role("tab", name="Reports").click()
        async with page.expect_download() as saved:
            await page.get_by_role("button", name="Download CSV").click()
        text = (await (await saved.value).path()).read_text()
        assert text.startswith("number,phone,status")
        assert text.count("\n") == 1001
        await crew.act(made["id"], "stop")
        await shows(page, "Slow", "Clone")


async def test_a_viewer_sees_everything_and_can_do_nothing(desk: Desk, numbers: Numbers) -> None:
    people = numbers(3)
    campaign = await a_voice_campaign(desk, people)
    path = f"/dashboard/campaigns/{campaign}"
    for options in ({"color_scheme": "light"}, {"color_scheme": "dark", "viewport": PHONE}):
        async with desk.window("viewer", path=path, **options) as page:
            await expect(page.get_by_role("heading", level=1)).to_have_text("Reminders")
            await expect(page.get_by_role("row")).to_have_count(4)
            await expect(page.get_by_text(people[0])).to_be_hidden()
            await expect(buttons(page, "Reminders")).to_have_count(0)
            assert await faults(page) == []
            wide = "document.documentElement.scrollWidth <= innerWidth"
            assert await page.evaluate(wide), "nothing sticks out"


async def test_a_campaign_of_nobody_is_told_as_one(desk: Desk) -> None:
    path = "/dashboard/campaigns/01a20260-cfb5-7498-8ac6-e58dcc541100"
    async with desk.window(path=path) as page:
        alert = page.get_by_role("alert")
        await expect(alert).to_contain_text("There is no such campaign.")


async def test_people_join_a_campaign_that_is_always_on_and_are_left_out(
    desk: Desk, numbers: Numbers
) -> None:
    first, second, third = numbers(3)
    made = await desk.crew.post("/campaigns", VOICE | {"always_on": True})
    async with desk.window("author", path=f"/dashboard/campaigns/{made['id']}") as page:
        await expect(page.get_by_role("button", name="Leave people out")).to_be_hidden()
        await desk.crew.act(made["id"], "start")
        await page.get_by_role("button", name="Add contacts").click()
        dialog = page.get_by_role("dialog", name="Add contacts")
        await dialog.get_by_role("button", name="Add", exact=True).click()
        await expect(dialog.get_by_text("Give a phone number.")).to_be_visible()
        await dialog.get_by_role("textbox", name="Phone numbers").fill(f"{first}\n{second}\n12\n")
        assert await faults(page) == []
        await dialog.get_by_role("button", name="Add", exact=True).click()
        report = page.get_by_role("dialog", name="Contacts added")
        await expect(report.get_by_role("row").filter(has_text="3")).to_be_visible()
        await report.get_by_role("button", name="Close").click()
        for phone in (first, second):
            await expect(page.get_by_role("row").filter(has_text=phone)).to_be_visible()

        await page.get_by_role("button", name="Leave people out").click()
        dialog = page.get_by_role("dialog", name="Leave people out")
        await dialog.get_by_role("textbox", name="Phone numbers").fill(f"{first}, {third}")
        await dialog.get_by_role("button", name="Leave out", exact=True).click()
        await expect(page.get_by_role("dialog", name="People left out")).to_be_visible()

    assert (await desk.crew.seen(f"/campaigns/{made['id']}"))["excluded"] == 1


async def test_one_message_is_sent_from_the_page(desk: Desk, numbers: Numbers) -> None:
    crew, (phone,) = desk.crew, numbers(1)
    made = await crew.campaign(await crew.sender(), name="Codes", mode="trigger")
    await crew.approve(made["id"])
    async with desk.window("author", path=f"/dashboard/campaigns/{made['id']}") as page:
        await page.get_by_role("button", name="Send one message").click()
        dialog = page.get_by_role("dialog", name="Send one message")
        number = dialog.get_by_role("textbox", name="Phone number")
        await number.fill("12")
        await dialog.get_by_role("button", name="Send", exact=True).click()
        await expect(number).to_have_attribute("aria-invalid", "true")
        await number.fill(phone)
        await dialog.get_by_role("textbox", name="name").fill("Ada")
        assert await faults(page) == []
        await dialog.get_by_role("button", name="Send", exact=True).click()
        await expect(page.get_by_role("row").filter(has_text=phone)).to_be_visible()
