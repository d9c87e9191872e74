"""The wizard: from nothing to messages that are delivered, and nothing lost on the way."""

import re

import pytest
from playwright.async_api import FilePayload, Page, expect

from dashboards import PHONE, Desk, Numbers, faults
from stack_campaigns import csv_of

pytestmark = [
    pytest.mark.serial,
    pytest.mark.timeout(120),
    pytest.mark.asyncio(loop_scope="session"),
]
NEW = "/dashboard/campaigns/new"


def table(text: str) -> FilePayload:
    return {"name": "people.csv", "mimeType": "text/csv", "buffer": text.encode()}


async def go_on(page: Page, to: str) -> None:
    await page.get_by_role("button", name="Next").click()
    await expect(page.get_by_role("heading", level=2, name=to, exact=True)).to_be_visible()


async def choose(page: Page, field: str, option: str) -> None:
    await page.get_by_role("combobox", name=field).click()
    await page.get_by_role("option", name=option).click()


async def test_a_campaign_goes_from_the_wizard_to_done(desk: Desk, numbers: Numbers) -> None:
    await desk.crew.sender("Bakery")
    people = numbers(12)
    rows = f"{csv_of(people)}nobody,X\n{people[0]},Again\n"
    async with desk.window("author", path=NEW) as page:
        await page.get_by_role("radio", name="SMS").check()
        await go_on(page, "Details")
        await page.get_by_role("button", name="Next").click()
        await expect(page.get_by_text("Give it a name.")).to_be_visible()
        await page.get_by_role("textbox", name="Name").fill("Fresh rolls")
        await go_on(page, "Sender")
        await choose(page, "Sender", "Bakery")
        await choose(page, "Link", "sim")
        await go_on(page, "Message")
        message = page.get_by_role("textbox", name="Message")
        await message.fill("Hello {{name}} \u2013 rolls!")
        cost = page.get_by_role("status").filter(has_text="segment")
        await expect(cost).to_contain_text("Unicode (UCS-2)")
        await expect(page.get_by_role("listitem", name="\u2013 at 16")).to_be_visible()
        await page.get_by_role("button", name="Use plain characters").click()
        await expect(cost).to_contain_text("GSM-7")
        await expect(cost).to_contain_text("1 segment")
        await go_on(page, "Audience")
        await page.get_by_label("Audience file").set_input_files(table(rows))
        first = page.get_by_role("group", name="First rows")
        await expect(first.get_by_role("row")).to_have_count(6)
        await expect(first).to_contain_text(people[0])

        await page.get_by_role("button", name="Back").click()
        await expect(message).to_have_value("Hello {{name}} - rolls!")
        await expect(page.get_by_role("region", name="Preview")).to_contain_text("Hello N0 - rolls")
        await go_on(page, "Audience")
        await go_on(page, "Schedule")
        await go_on(page, "Review")
        await expect(page.get_by_role("region", name="Audience")).to_contain_text("people.csv")
        assert await faults(page) == []
        await page.get_by_role("button", name="Create campaign").click()

        report = page.get_by_role("list", name="Upload report")
        for count in ("Accepted12", "Invalid1", "Duplicate1", "Suppressed0"):
            await expect(report).to_contain_text(count)
        await expect(page.get_by_role("group", name="Rows that could not")).to_contain_text("14")
        await page.get_by_role("link", name="Open the campaign").click()
        await expect(page.get_by_text("Waits for a moderator")).to_be_visible()
        await approved_by_somebody_else(desk, "Fresh rolls")
        await expect(page.get_by_text("Done", exact=True)).to_be_visible(timeout=40_000)
        await expect(page.get_by_text("12 of 12 processed")).to_be_visible()
        cells = page.get_by_role("group", name="Messages").get_by_role("row")
        await expect(cells).to_have_count(13)


async def approved_by_somebody_else(desk: Desk, name: str) -> None:
    async with desk.window("moderator", sub="mo", path="/dashboard/moderation") as page:
        waiting = page.get_by_role("article", name=name)
        await expect(waiting).to_contain_text("Hello N0 - rolls!")
        await waiting.get_by_role("button", name=f"Approve {name}").click()
        dialog = page.get_by_role("dialog")
        await dialog.get_by_role("textbox", name="Note").fill("Looks good")
        await dialog.get_by_role("button", name="Approve").click()
        await expect(page.get_by_text(f"{name} is approved.")).to_be_visible()
        await expect(waiting).to_be_hidden()


async def test_nothing_is_lost_when_the_page_is_loaded_again(desk: Desk, numbers: Numbers) -> None:
    people = numbers(2)
    async with desk.window("author", path=NEW, viewport=PHONE, color_scheme="dark") as page:
        await page.get_by_role("radio", name="Voice").check()
        await go_on(page, "Details")
        await page.get_by_role("textbox", name="Name").fill("Reminders")
        await go_on(page, "Caller ids")
        await page.get_by_role("combobox", name="Caller ids").fill("12")
        await page.keyboard.press("Enter")
        await page.get_by_role("textbox", name="Answered calls go to").fill("sim:agents")
        await go_on(page, "Audience")
        await page.get_by_label("Audience file").set_input_files(table(csv_of(people)))
        await expect(page.get_by_text("people.csv")).to_be_visible()
        await go_on(page, "Dialler")
        await page.get_by_role("textbox", name="Seats").fill("7")
        await page.get_by_role("button", name="Add a cap").click()
        await page.get_by_role("switch", name="Detect machines").check()
        assert await faults(page) == []
        kept = await page.evaluate("JSON.stringify(sessionStorage)")
        assert people[0] not in kept, "phones stay out of the browser's storage"

        await page.reload()
        await expect(page.get_by_role("textbox", name="Seats")).to_have_value("7")
        await expect(page.get_by_role("textbox", name="Within hours")).to_have_value("24")
        await page.get_by_role("button", name="Back").click()
        await expect(page.get_by_text("Choose people.csv again")).to_be_visible()
        await go_on(page, "Dialler")
        await go_on(page, "Schedule")
        await go_on(page, "Review")
        await page.get_by_role("button", name="Create campaign").click()

        # What the platform refuses stands at its field, on its step.
        await expect(page.get_by_role("heading", level=2, name="Caller ids")).to_be_visible()
        field = page.get_by_role("combobox", name="Caller ids")
        await expect(field).to_have_attribute("aria-invalid", "true")
        await expect(page.get_by_role("alert")).to_contain_text("'12' must be a number like +44")
        await page.keyboard.press("Escape")
        await field.press("Backspace")
        await field.fill("+442079460000")
        await page.keyboard.press("Enter")
        await page.get_by_role("button", name="Review").click()
        await page.get_by_role("button", name="Create campaign").click()
        await expect(page).to_have_url(re.compile(r"/dashboard/campaigns/[0-9a-f-]{36}$"))
        await expect(page.get_by_text("No contacts yet")).to_be_visible()
        assert await page.evaluate("Object.keys(sessionStorage).length") == 0


async def test_a_campaign_is_edited_and_its_audience_replaced(desk: Desk, numbers: Numbers) -> None:
    made = await desk.crew.campaign(await desk.crew.sender(), name="Typo in the nmae")
    await desk.crew.uploaded(made["id"], csv_of(numbers(2)))
    async with desk.window("author", path=f"/dashboard/campaigns/{made['id']}") as page:
        await page.get_by_role("button", name="Edit").click()
        await page.get_by_role("button", name="Details").click()
        await page.get_by_role("textbox", name="Name").fill("No typo")
        await page.get_by_role("button", name="Audience").click()
        await expect(page.get_by_text("2 contacts are there already.")).to_be_visible()
        await page.get_by_label("Audience file").set_input_files(table(csv_of(numbers(3))))
        await page.get_by_role("button", name="Review").click()
        await page.get_by_role("button", name="Save changes").click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("No typo is saved")
        await expect(page.get_by_role("list", name="Upload report")).to_contain_text("Accepted3")
    seen = await desk.crew.seen(f"/campaigns/{made['id']}")
    assert (seen["name"], seen["text"]) == ("No typo", made["text"])


async def test_who_may_not_create_campaigns_is_told(desk: Desk) -> None:
    async with desk.window("viewer", path=NEW) as page:
        await expect(page.get_by_text("Your role cannot create campaigns.")).to_be_visible()
