"""The dashboard with 10,000 campaigns: how soon it shows something, and what it asks for.

`make bench-dashboard`; bounded: a few pages in one Chromium, on one platform of its own.
"""

import asyncio
import gzip
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import nats
from playwright.async_api import Browser, Page, async_playwright

from campaign_events.envelope import Actor, Address, Origin, new_id
from campaign_events.eventlog import EventLog
from campaign_events.voice import VoiceCampaignCreated, VoiceSettings
from carillon.tokens.identity import Identity
from dashboards import LAPTOP, PAGES, chromium
from stacks import Platform, ask, platform

COUNTS = (100, 10_000)
AT_ONCE = 50
ROUNDS = 5
SHOWN = "performance.getEntriesByName('first-contentful-paint')[0].startTime"
ASKED = """performance.getEntriesByType('resource').filter((one) => one.name.includes('/api/'))
    .map((one) => [new URL(one.name).pathname, one.decodedBodySize])"""
AUTHOR = Actor(id="ann", name="Ann")


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


async def fill(up: Platform, workspace: str, count: int) -> None:
    """Campaigns as the campaign service would write them."""
    nc = await nats.connect(up.file().nats_url)
    log, turns = EventLog(nc), asyncio.Semaphore(AT_ONCE)

    async def one(number: int) -> None:
        settings = VoiceSettings(name=f"Campaign {number} of {count}", destination="sim:agents")
        origin = Origin(new_id(), datetime.now(UTC), "campaign", new_id())
        created = VoiceCampaignCreated(settings=settings, author=AUTHOR)
        async with turns:
            await log.append([created], Address(workspace, new_id()), origin, after=0)

    await asyncio.gather(*(one(number) for number in range(count)))
    await nc.close()
    async with up.client(workspace, "viewer") as viewer:
        while (await ask(viewer, "GET", "/overview/kpi"))["total"] < count:
            await asyncio.sleep(0.1)


@asynccontextmanager
async def window(browser: Browser, up: Platform, workspace: str) -> AsyncIterator[Page]:
    token = up.issuer.mint(Identity("ann", "Ann", workspace, ["viewer"]))
    context = await browser.new_context(viewport=LAPTOP, base_url=up.url)  # type: ignore[arg-type]
    await context.add_init_script(f"localStorage.setItem('carillon.token', '{token}')")
    yield await context.new_page()
    await context.close()


async def measure(page: Page, path: str, shown: str) -> tuple[float, float, list[Any]]:
    """Milliseconds to the first paint and to the first numbers, and what was asked for."""
    began = asyncio.get_running_loop().time()
    await page.goto(path)
    await page.locator(shown).first.wait_for()
    numbers = (asyncio.get_running_loop().time() - began) * 1000
    return await page.evaluate(SHOWN), numbers, await page.evaluate(ASKED)


async def run(up: Platform) -> None:
    async with async_playwright() as playwright:
        program = chromium()
        browser = await playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox", "--disable-gpu"]
        )
        for count in COUNTS:
            workspace = f"w{count}"
            await fill(up, workspace, count)
            for path, shown in (
                ("/dashboard", "[data-testid=kpi-total]"),
                ("/dashboard/campaigns", "[data-testid^=campaign-]"),
            ):
                taken = []
                for _ in range(ROUNDS):
                    async with window(browser, up, workspace) as page:
                        taken.append(await measure(page, path, shown))
                first, numbers, asked = sorted(taken, key=lambda one: one[1])[ROUNDS // 2]
                most = max((size for _, size in asked), default=0)
                say(
                    f"{count:6} campaigns  {path:22} first paint {first:5.0f} ms  numbers"
                    f" {numbers:5.0f} ms  {len(asked)} requests, the largest {most / 1000:.0f} kB"
                )
        await browser.close()


def sizes() -> None:
    """What the built files weigh, compressed as the edge does it."""
    files = [file for file in PAGES.parent.rglob("*") if file.suffix in (".js", ".css")]
    weights = {file.name: len(gzip.compress(file.read_bytes())) / 1000 for file in files}
    say(f"all scripts and styles: {sum(weights.values()):.0f} kB compressed, the largest:")
    for name, weight in sorted(weights.items(), key=lambda one: -one[1])[:5]:
        say(f"  {weight:6.0f} kB  {name}")


def main() -> None:
    if not PAGES.exists() or chromium() is None:
        sys.exit("make dashboard and make browser first")
    sizes()
    with tempfile.TemporaryDirectory() as folder, platform(Path(folder)) as up:
        asyncio.run(run(up))


if __name__ == "__main__":
    main()
