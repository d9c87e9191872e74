"""The dashboard as people have it before them: windows of a real browser, signed in or not."""

import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, BrowserContext, Page

from answers_checked import Contract
from carillon.tokens.identity import Identity
from stack_campaigns import Crew
from stacks import Platform

ROOT = Path(__file__).parents[1]
PAGES = ROOT / "services/read_model/src/read_model/static/index.html"
AXE = ROOT / "services/read_model/web/node_modules/axe-core/axe.min.js"
LAPTOP = {"width": 1280, "height": 800}
PHONE = {"width": 360, "height": 740}
STANDARD = {"viewport": LAPTOP, "locale": "en-GB", "reduced_motion": "reduce"}
"""Nothing fades in or out while a page is checked: half faded words have half the contrast."""
MOST_MS = 20_000
"""Tests share two cores with others."""

type Numbers = Callable[[int], list[str]]


def chromium() -> str | None:
    """Debian's Chromium; the one without windows takes half the processor time."""
    return shutil.which("chromium-headless-shell") or shutil.which("chromium")


@dataclass
class Desk:
    """Somebody's desk: the people of a workspace, and windows in which they see the dashboard."""

    platform: Platform
    crew: Crew
    chromium: Browser
    contract: Contract

    @asynccontextmanager
    async def window(
        self, *roles: str, sub: str = "ann", path: str = "/dashboard", **options: Any
    ) -> AsyncIterator[Page]:
        """A window that is signed in. At its end, nothing may have gone wrong in it."""
        token = self.platform.issuer.mint(
            Identity(sub, sub.title(), self.crew.workspace, roles or ("admin",))
        )
        async with self.stranger(**options) as page:
            await page.add_init_script(f"localStorage.setItem('carillon.token', '{token}')")
            await page.goto(path)
            yield page

    @asynccontextmanager
    async def stranger(self, **options: Any) -> AsyncIterator[Page]:
        """A window of somebody who is not signed in."""
        context = await self.context(**options)
        page = await context.new_page()
        said: list[str] = []
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("console", lambda line: said.append(line.text) if line.type == "error" else None)
        self.contract.watch(page)
        try:
            yield page
        finally:
            await self.contract.settled()
            await context.close()
        # That a request was refused is for the page to say, and for the test to know.
        assert [line for line in said if "Failed to load resource" not in line] == []
        assert self.contract.broken == []

    async def context(self, **options: Any) -> BrowserContext:
        wanted = STANDARD | {"base_url": self.platform.url} | options
        context = await self.chromium.new_context(**wanted)
        context.set_default_timeout(MOST_MS)
        return context


STILL = """async () => {
    const frame = () => new Promise(requestAnimationFrame);
    await frame();
    await frame();
    const ends = document.getAnimations().filter(
        (one) => Number.isFinite(one.effect?.getComputedTiming().endTime),
    );
    await Promise.allSettled(ends.map((one) => one.finished));
}"""
"""Waits until nothing moves any more: what was there before the page knew that nothing shall."""


async def faults(page: Page) -> list[str]:
    """What axe finds on a page, one line each."""
    await page.evaluate(STILL)
    await page.evaluate(AXE.read_text())
    found = await page.evaluate("axe.run()")
    return [
        f"{one['id']}: {node['html'][:160]}" for one in found["violations"] for node in one["nodes"]
    ]
