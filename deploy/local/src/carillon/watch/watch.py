"""`carillon watch`: everything that boards and alerts ask, while two demo campaigns run."""

import asyncio
import contextlib
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from carillon.api_client import Person, ProblemError, check_reachable
from carillon.servers.prometheus import WINDOW, program, running_prometheus
from carillon.stack import Options, running_stack
from carillon.stack_file import NoStackError, StackFile, read_stack_file
from carillon.tokens.identity import DEMO_WORKSPACE, Identity
from carillon.tokens.issuer import DevelopmentIssuer
from carillon.traffic.campaign_run import Display, run_campaign
from carillon.traffic.demo import demo_wish
from carillon.traffic.demo_calls import IN_A_HURRY, start_demo_calls
from carillon.traffic.simulators import must_stay_here
from carillon.watch.boards import empty_states, expressions
from carillon.watch.judging import Watch

LOOK_EVERY_S = 2.0
AUTHOR = Identity("dev-author", "Local Author", DEMO_WORKSPACE, ("author",))
NOBODY = "00000000-0000-7000-8000-000000000000"

type Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Site:
    """The platform that is watched."""

    data: Path
    stack: StackFile


async def watch(
    data: Path,
    *,
    campaigns: bool,
    within_s: float,
    display: Display,
    shown: Callable[[Watch], None],
) -> Watch:
    """Ask everything again and again until all of it gave something, or the time is over.

    Raises:
        NoPrometheusError: there is no Prometheus on this machine.
        NoSimulatorError: the platform that runs here is no place for demo campaigns.
        NoBoardsError: the boards are not where they should be.
        UnreachableError: the platform that ran here does not answer.

    """
    program()  # before a platform is started for nothing
    boards, empty = expressions(WINDOW), empty_states()
    with tempfile.TemporaryDirectory(prefix="carillon-watch-") as name:
        folder, enough = Path(name), asyncio.Event()
        async with (
            _site(data, folder, display.say) as site,
            running_prometheus(site.stack, folder / "prometheus", display.say) as prometheus,
            demo_campaigns(site, display, enough) if campaigns else _nothing() as sending,
        ):
            watched = Watch.of(prometheus, boards, empty)
            end = time.monotonic() + within_s
            while time.monotonic() < end and not (sending.done() and watched.is_complete):
                await asyncio.gather(watched.look(), asyncio.sleep(LOOK_EVERY_S))
                shown(watched)
                if watched.is_complete:
                    enough.set()
                if sending.done():
                    sending.result()
            return watched


@asynccontextmanager
async def _site(data: Path, folder: Path, say: Say) -> AsyncIterator[Site]:
    """The platform that runs on the data folder, or one of our own for as long as we watch."""
    try:
        running = Site(data, read_stack_file(data))
    except NoStackError:
        pass
    else:
        async with httpx.AsyncClient(base_url=running.stack.url) as http:
            await check_reachable(http)
        say(f"watching the platform at {running.stack.url}")
        yield running
        return
    say(f"no platform runs on {data}: starting one of its own in a temporary folder")
    telephony = folder / "telephony.toml"
    telephony.write_text(IN_A_HURRY)
    options = Options(data=folder / "data", port=0, telephony=telephony)
    async with running_stack(options, lambda _: None) as stack:
        say(f"watching a platform of its own at {stack.url}")
        yield Site(stack.data, stack.file())


@asynccontextmanager
async def _nothing() -> AsyncIterator["asyncio.Future[None]"]:
    """What was sent when nothing is sent."""
    done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    done.set_result(None)
    yield done


@asynccontextmanager
async def demo_campaigns(
    site: Site, display: Display, enough: asyncio.Event
) -> AsyncIterator["asyncio.Future[None]"]:
    """Send the demo's SMS again and again until it is enough, and its calls while the block runs.

    Yields the end of the SMS. Between two looks of Prometheus a whole campaign may have gone out:
    the first one makes counters be there, and those after it make them grow.

    Raises:
        NoSimulatorError: they would not stay on this machine.
        ProblemError: the platform refused a step.

    """
    issuer = DevelopmentIssuer.load(site.data / "issuer")
    async with httpx.AsyncClient(base_url=site.stack.url, timeout=30) as http:
        author = Person(http, issuer, AUTHOR)
        await must_stay_here(
            site.data, site.stack, author, "Send your own ones meanwhile, and say --no-campaigns."
        )
        with contextlib.suppress(ProblemError):  # refused requests are counted too
            await author.ask("GET", f"/campaigns/{NOBODY}")
        calls = await start_demo_calls(author)
        display.say(f"campaign {calls} created: Demo calls")
        sending = asyncio.create_task(_send(site, display, enough))
        try:
            yield sending
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
            with contextlib.suppress(ProblemError):  # they may be over
                await author.ask("POST", f"/campaigns/{calls}/stop", {})


async def _send(site: Site, display: Display, enough: asyncio.Event) -> None:
    wish = demo_wish(site.data)
    await run_campaign(site.data, wish, display)
    while not enough.is_set():
        await run_campaign(site.data, wish, display)
