"""Diagnostics, opt-outs and settings: what those who look after a workspace need."""

import pytest
from playwright.async_api import expect

from dashboards import PHONE, Desk, faults

pytestmark = [
    pytest.mark.serial,
    pytest.mark.timeout(120),
    pytest.mark.asyncio(loop_scope="session"),
]
NO_PICKER = "delete window.showSaveFilePicker"


async def test_views_links_and_the_audit_log_are_shown_and_searched(desk: Desk) -> None:
    sender = await desk.crew.sender()
    await desk.crew.campaign(sender, name="Audited")
    async with desk.window("admin", sub="ada", path="/dashboard/diagnostics") as page:
        await page.evaluate(NO_PICKER)
        health = page.get_by_role("list", name="Health")
        for said in ("Core APIok", "Event log (NATS)ok", "version", "fallback file empty ✓"):
            await expect(health).to_contain_text(said)
        views = page.get_by_role("group", name="Projections")
        await expect(views).to_contain_text("campaigns")
        await expect(views.get_by_text("up to date").first).to_be_visible()
        links = page.get_by_role("group", name="Carrier links")
        await expect(links).to_contain_text("slow")
        await expect(page.get_by_text("Nothing is parked")).to_be_visible()

        records = page.get_by_role("group", name="Audit").get_by_role("row")
        await expect(records).to_have_count(4)  # a head; created, approved, created
        await page.get_by_role("textbox", name="Action").fill("sender.created, sender.approved")
        await page.get_by_role("button", name="Search").click()
        await expect(records).to_have_count(3)
        await page.get_by_role("button", name="Details of sender.approved").click()
        record = page.get_by_role("dialog", name="sender.approved")
        await expect(record).to_contain_text("Mo (mo)")
        assert await faults(page) == []
        await page.keyboard.press("Escape")
        async with page.expect_download() as saved:
            await page.get_by_role("button", name="Download CSV").click()
        lines = (await (await saved.value).path()).read_text().splitlines()
        assert len(lines) == 3
        await page.get_by_role("textbox", name="About").fill(sender.replace("-", "0"))
        await page.get_by_role("button", name="Search").click()
        await expect(page.get_by_text("No records match")).to_be_visible()
        await page.get_by_role("button", name="Clear").click()
        await expect(records).to_have_count(4)


async def test_the_audit_log_is_not_for_everybody(desk: Desk) -> None:
    path = "/dashboard/diagnostics"
    async with desk.window("viewer", path=path, viewport=PHONE, color_scheme="dark") as page:
        await expect(page.get_by_text("The audit log is for admins.")).to_be_visible()
        await expect(page.get_by_role("list", name="Health")).to_be_visible()
        assert await faults(page) == []
        wide = "document.documentElement.scrollWidth <= innerWidth"
        assert await page.evaluate(wide), "nothing sticks out"


async def test_numbers_opt_out_and_come_back(desk: Desk) -> None:
    async with desk.window("admin", sub="ada", path="/dashboard/opt-outs") as page:
        await expect(page.get_by_text("Nobody has opted out")).to_be_visible()
        await page.get_by_role("button", name="Add a number").click()
        dialog = page.get_by_role("dialog")
        phone = dialog.get_by_role("textbox", name="Phone")
        await phone.fill("123")
        await dialog.get_by_role("button", name="Add a number").click()
        await expect(phone).to_have_attribute("aria-invalid", "true")
        await phone.fill("+4915112999001")
        await dialog.get_by_role("button", name="Add a number").click()
        entry = page.get_by_role("row").filter(has_text="+4915112999001")
        await expect(entry).to_contain_text("by hand")
        assert await faults(page) == []
        await entry.get_by_role("button", name="Remove").click()
        await page.get_by_role("dialog").get_by_role("button", name="Remove number").click()
        await expect(entry).to_be_hidden()


async def test_settings_are_changed_by_admins_only(desk: Desk) -> None:
    async with desk.window("admin", path="/dashboard/settings") as page:
        switch = page.get_by_role("switch", name="People may approve what they created")
        await switch.check()
        await page.get_by_role("textbox", name="Days that audit records are kept").fill("30")
        await page.get_by_role("button", name="Save").click()
        await expect(page.get_by_text("The settings are saved.")).to_be_visible()
        await page.reload()
        await expect(switch).to_be_checked()
        assert await faults(page) == []
    async with desk.window("author", path="/dashboard/settings") as page:
        await expect(page.get_by_text("Only admins can change them.")).to_be_visible()
        await expect(page.get_by_role("button", name="Save")).to_be_hidden()
    assert (await desk.crew.seen("/settings"))["retention_days"] == 30
