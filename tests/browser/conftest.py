"""The dashboard in Debian's Chromium, against one platform for all tests of this folder."""

import os
import uuid
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright, expect

import dashboards
from answers_checked import Contract
from dashboards import AXE, MOST_MS, PAGES, ROOT, Desk, Numbers
from stack_campaigns import Crew, phones
from stacks import Link, Platform, platform

CARRIER = """
[answers]
latency_ms = 5
jitter_ms = 2
[receipts]
min_s = 0.05
mean_s = 0.2
max_s = 2
window = 500
[[receipts.states]]
stat = "UNDELIV"
error = "001"
share = 0.1
"""

TELEPHONY = """
[[telephony]]
id = "sim"
type = "simulator"
seed = 7
time_scale = 20.0
answer = 0.6
machine = 0.1
busy = 0.1
ring_s = 6
talk_mean_s = 30
wrap_s = 5
"""


def missing(what: str) -> None:
    """What a test needs and cannot have is a failure in CI, and skips the test at home."""
    if os.environ.get("CI"):
        raise RuntimeError(what)
    pytest.skip(what)


@pytest.fixture(scope="session")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    if not PAGES.exists() or not AXE.exists():
        missing("the dashboard is not built: make dashboard")
    links = [Link("sim"), Link("slow", window=10, segments_per_second=20)]
    folder = tmp_path_factory.mktemp("browser")
    with platform(folder, carrier=CARRIER, links=links, telephony=TELEPHONY) as started:
        yield started


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium() -> AsyncIterator[Browser]:
    program = dashboards.chromium()
    if program is None:
        missing("Chromium is not installed: make browser")
    expect.set_options(timeout=MOST_MS)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox", "--disable-gpu"]
        )
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def desk(up: Platform, chromium: Browser) -> AsyncIterator[Desk]:
    crew = Crew.of(up, f"w{uuid.uuid4().hex[:8]}")
    yield Desk(up, crew, chromium, Contract.of(ROOT / "docs" / "openapi.json"))
    await crew.close()


@pytest.fixture(scope="session")
def numbers() -> Numbers:
    """Gives numbers that no other test has had."""
    given = 500_000

    def some(count: int) -> list[str]:
        nonlocal given
        given += count
        return phones(count, given - count)

    return some
