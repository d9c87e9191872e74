"""`carillon simulate`: SMS and voice campaigns to made-up people, one after another."""

import asyncio
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import httpx

from carillon.api_client import Person, check_reachable
from carillon.stack_file import read_stack_file
from carillon.tokens.identity import Identity
from carillon.tokens.issuer import DevelopmentIssuer
from carillon.traffic.campaign_run import Standing, UploadReport, Wish, prepare_sender, run_campaign
from carillon.traffic.demo import DEMO_TEXT, fictional_numbers, write_demo_audience
from carillon.traffic.demo_calls import start_demo_calls
from carillon.traffic.simulators import must_stay_here

AT_ONCE = 20
"""SMS campaigns under way; a slower platform gets its next one later."""
LOOK_S = 0.5


@dataclass(frozen=True, slots=True)
class Traffic:
    """What is wanted."""

    workspace: str
    per_minute: float
    contacts: int
    voice_share: float
    seed: int
    for_s: float | None = None


@dataclass(slots=True)
class Tally:
    """What was begun, and how far the SMS are."""

    sms: int = 0
    voice: int = 0
    standings: dict[int, Standing] = field(default_factory=dict)

    def line(self) -> str:
        """One line for people."""
        delivered = sum(one.delivered for one in self.standings.values())
        failed = sum(one.failed for one in self.standings.values())
        return (
            f"{self.sms} SMS and {self.voice} voice campaigns begun; "
            f"messages: {delivered:,} delivered, {failed:,} failed"
        )


@dataclass(frozen=True, slots=True)
class _Counted:
    """A display that only counts."""

    tally: Tally
    number: int

    def say(self, line: str) -> None:
        """Say nothing: there are many campaigns."""

    def uploading(self, done: int, size: int) -> None:
        """Say nothing."""

    def uploaded(self, report: UploadReport) -> None:
        """Say nothing."""

    def standing(self, standing: Standing) -> None:
        """Count the messages."""
        self.tally.standings[self.number] = standing


async def simulate(
    data: Path, traffic: Traffic, tally: Tally, shown: Callable[[Tally], None]
) -> None:
    """Begin campaigns at the wanted rate until the time is over; `shown` is told how it goes.

    Raises:
        NoStackError: no platform runs on the data folder.
        NoSimulatorError: the campaigns would leave this machine.
        ProblemError: the platform refused a step.
        UnreachableError: the platform does not answer.
    """
    stack = read_stack_file(data)
    issuer = DevelopmentIssuer.load(data / "issuer")
    async with httpx.AsyncClient(base_url=stack.url, timeout=30) as http:
        await check_reachable(http)
        author = Person(http, issuer, _person("author", traffic))
        moderator = Person(http, issuer, _person("moderator", traffic))
        instead = "Start one without --links and --telephony of your own, with another --data."
        await must_stay_here(data, stack, author, instead)
        with tempfile.TemporaryDirectory(prefix="carillon-simulate-") as folder:
            wish = Wish(Path(folder), DEMO_TEXT, "", workspace=traffic.workspace, approve=True)
            await prepare_sender(wish, author, moderator, _Counted(tally, 0))
            await _Simulation(data, Path(folder), traffic, tally, author).run(shown)


@dataclass(slots=True)
class _Simulation:
    data: Path
    folder: Path
    traffic: Traffic
    tally: Tally
    author: Person
    running: set[asyncio.Task[None]] = field(default_factory=set)

    async def run(self, shown: Callable[[Tally], None]) -> None:
        chance = Random(self.traffic.seed)  # noqa: S311 - made-up people are no secret
        begun = due = time.monotonic()
        end = float("inf") if self.traffic.for_s is None else begun + self.traffic.for_s
        try:
            while (now := time.monotonic()) < end:
                if now >= due and len(self.running) < AT_ONCE:
                    due = max(due + 60 / self.traffic.per_minute, now)
                    await self._begin(chance)
                shown(self.tally)
                await asyncio.sleep(max(0, min(LOOK_S, due - now, end - now)) or LOOK_S / 10)
                self._check()
        finally:
            for task in self.running:
                task.cancel()
            await asyncio.gather(*self.running, return_exceptions=True)

    async def _begin(self, chance: Random) -> None:
        numbers = chance.sample(list(fictional_numbers()), self.traffic.contacts)
        number = self.tally.sms + self.tally.voice + 1
        if chance.random() < self.traffic.voice_share:
            await start_demo_calls(self.author, f"Simulated calls {number}", numbers)
            self.tally.voice += 1
            return
        file = write_demo_audience(self.folder / f"{number}.csv", numbers)
        self.running.add(asyncio.create_task(self._send(number, file)))
        self.tally.sms += 1

    async def _send(self, number: int, file: Path) -> None:
        wish = Wish(
            file=file,
            text=DEMO_TEXT,
            name=f"Simulated campaign {number}",
            workspace=self.traffic.workspace,
            approve=True,
        )
        await run_campaign(self.data, wish, _Counted(self.tally, number))
        file.unlink()

    def _check(self) -> None:
        for task in [one for one in self.running if one.done()]:
            self.running.remove(task)
            task.result()


def _person(role: str, traffic: Traffic) -> Identity:
    return Identity(f"dev-{role}", f"Local {role.capitalize()}", traffic.workspace, (role,))
