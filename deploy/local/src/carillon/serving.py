"""`carillon up`: start, say so, keep serving, and end cleanly on a signal."""

import asyncio
import signal
import tomllib
from ipaddress import ip_address
from pathlib import Path

from rich.console import Console

from carillon.errors import PlainError
from carillon.services import SIMULATED_LINK, package_folder
from carillon.stack import ADMINISTRATOR, PAGES, Options, Stack, running_stack
from carillon.tokens.identity import DEMO_WORKSPACE
from carillon.traffic.campaign_run import run_campaign
from carillon.traffic.demo import demo_wish
from carillon.traffic.display import PlainLines

# The ready line waits for the demo campaign, but not for ever.
DEMO_WITHIN = 180.0


async def serve(options: Options, *, demo: bool, out: Console, said: Console) -> None:
    """Run the platform until SIGTERM or SIGINT; everything has ended when this returns.

    Raises:
        the errors of `running_stack`.
    """
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    working = asyncio.create_task(_work(options, demo=demo, out=out, said=said))
    asked_to_stop = asyncio.create_task(stopping.wait())
    await asyncio.wait({working, asked_to_stop}, return_when=asyncio.FIRST_COMPLETED)
    asked_to_stop.cancel()
    if not working.done():
        working.cancel()
    outcome = (await asyncio.gather(working, return_exceptions=True))[0]
    if isinstance(outcome, Exception):
        raise outcome


async def _work(options: Options, *, demo: bool, out: Console, said: Console) -> None:
    def narrate(line: str) -> None:
        said.print(line, markup=False, soft_wrap=True)

    async with running_stack(options, narrate) as stack:
        if demo:
            await _send_demo(stack, said)
        for line in _where_to_look(stack):
            narrate(line)
        out.print(f"ready {stack.url}", markup=False, highlight=False, soft_wrap=True)
        await asyncio.Event().wait()


async def _send_demo(stack: Stack, said: Console) -> None:
    """Send the demo campaign; a platform that serves is worth more than one that does not."""
    if not _link_stays_here(stack.links):
        said.print("no demo campaign: there is no link `sim` to a carrier on this machine")
        return
    wish = demo_wish(stack.data)
    try:
        async with asyncio.timeout(DEMO_WITHIN):
            await run_campaign(stack.data, wish, PlainLines(said))
    except PlainError as error:
        said.print(f"the demo campaign did not work: {error}", markup=False, soft_wrap=True)
    except TimeoutError:
        said.print("the demo campaign takes longer than usual; it goes on")


def _link_stays_here(links: Path) -> bool:
    """Whether made-up numbers can go to the link `sim` without reaching a real carrier."""
    found = tomllib.loads(links.read_text()).get("links", [])
    hosts = [str(link.get("host")) for link in found if link.get("id") == SIMULATED_LINK]
    return bool(hosts) and all(_is_loopback(host) for host in hosts)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _dashboard(stack: Stack) -> list[str]:
    if stack.provider.client is not None:
        return [f"dashboard  {stack.url}/"]
    if not (package_folder(PAGES) / "static" / "index.html").is_file():
        return ["dashboard  not built yet: `make dashboard`, and start again"]
    return [
        f"dashboard  {stack.sign_ins.make(stack.url, ADMINISTRATOR)}",
        "           (signs you in, once; another link: .venv/bin/carillon sign-in)",
    ]


def _where_to_look(stack: Stack) -> list[str]:
    carillon, data = ".venv/bin/carillon", f"--data {stack.data}"
    people = f"--workspace {DEMO_WORKSPACE} --sub me --name Me --role author --role moderator"
    return [
        "",
        *_dashboard(stack),
        f"API        {stack.url}/api/v1/overview",
        f"token      {carillon} token {data} {people}",
        f"           (an admin's lies in {stack.data / 'token'})",
        f"campaign   {carillon} campaign run FILE.csv {data} --text 'Hello' --approve",
        f"logs       {stack.data / 'logs'}",
        "end        Ctrl-C",
        "",
    ]
