"""Moderation and senders: a second person decides, and says why not."""

import pytest
from playwright.async_api import expect

from dashboards import PHONE, Desk, Numbers, faults
from stack_campaigns import csv_of

pytestmark = [
    pytest.mark.serial,
    pytest.mark.timeout(120),
    pytest.mark.asyncio(loop_scope="session"),
]
QUEUE = "/dashboard/moderation"


async def test_nobody_decides_about_their_own_and_a_no_needs_a_note(
    desk: Desk, numbers: Numbers
) -> None:
    made = await desk.crew.campaign(await desk.crew.sender(), name="Doubtful")
    await desk.crew.uploaded(made["id"], csv_of(numbers(4)))
    async with desk.window("admin", sub="ann", path=QUEUE, viewport=PHONE) as page:
        approve = page.get_by_role("button", name="Approve Doubtful")
        await expect(approve).to_have_attribute("aria-disabled", "true")
        own = "You created this: somebody else has to decide."
        await expect(page.get_by_text(own)).to_be_visible()
        await approve.click(force=True)
        await expect(page.get_by_role("dialog")).to_be_hidden()
        await page.mouse.move(0, 0)
        await expect(page.get_by_role("tooltip")).to_be_hidden()
        assert await faults(page) == []
    async with desk.window("moderator", sub="mo", path=QUEUE, color_scheme="dark") as page:
        waiting = page.get_by_role("article", name="Doubtful")
        for said in ("Ann", "Recipients4", "4 segments", "Shop", "Hello N0, we are open."):
            await expect(waiting).to_contain_text(said)
        await waiting.get_by_role("button", name="Reject Doubtful").click()
        dialog = page.get_by_role("dialog")
        reject = dialog.get_by_role("button", name="Reject")
        await reject.click()
        await expect(dialog.get_by_text("A rejection needs a note.")).to_be_visible()
        assert await faults(page) == []
        await dialog.get_by_role("textbox", name="Note").fill("Too doubtful")
        await reject.click()
        await expect(page.get_by_text("No campaign waits")).to_be_visible()
        await page.goto(f"/dashboard/campaigns/{made['id']}?tab=activity")
        await expect(page.get_by_text("“Too doubtful”").first).to_be_visible()


async def test_a_sender_is_made_approved_changed_and_archived(desk: Desk) -> None:
    async with desk.window("admin", sub="ada", path="/dashboard/senders") as page:
        await expect(page.get_by_text("No senders yet")).to_be_visible()
        await page.get_by_role("button", name="New sender").click()
        dialog = page.get_by_role("dialog")
        await dialog.get_by_role("textbox", name="Name").fill("Bakery")
        appears = dialog.get_by_role("textbox", name="Appears as")
        await appears.fill("far too long to be a sender")
        submit = dialog.get_by_role("button", name="Submit for approval")
        await submit.click()
        await expect(appears).to_have_attribute("aria-invalid", "true")
        await appears.fill("Bakery")
        await dialog.get_by_role("textbox", name="Reason").fill("Weekly offers")
        await submit.click()
        sender = page.get_by_role("article", name="Bakery")
        await expect(sender).to_contain_text("Waits for approval")
        own = sender.get_by_role("button", name="Approve Bakery, Revision 1")
        await expect(own).to_have_attribute("aria-disabled", "true")

        await approved(desk, "Bakery")
        await expect(sender.get_by_text("Current")).to_be_visible(timeout=30_000)
        await sender.get_by_role("button", name="Change Bakery").click()
        await appears.fill("BakeryCo")
        await submit.click()
        revisions = sender.get_by_role("list", name="Revisions of Bakery").get_by_role("listitem")
        await expect(revisions).to_have_count(2)
        await expect(revisions.first).to_contain_text("BakeryCo")
        assert await faults(page) == []

        await sender.get_by_role("button", name="Archive Bakery").click()
        await page.get_by_role("dialog").get_by_role("button", name="Archive sender").click()
        await expect(sender).to_be_hidden()
        await page.get_by_role("switch", name="Show archived").check()
        await expect(sender).to_contain_text("Archived")


async def approved(desk: Desk, name: str) -> None:
    async with desk.window("moderator", sub="mo", path=f"{QUEUE}?tab=senders") as page:
        waiting = page.get_by_role("article", name=name)
        await expect(waiting).to_contain_text("Weekly offers")
        await waiting.get_by_role("button", name=f"Approve {name}").click()
        await page.get_by_role("dialog").get_by_role("button", name="Approve").click()
        await expect(page.get_by_text("No sender waits")).to_be_visible()
