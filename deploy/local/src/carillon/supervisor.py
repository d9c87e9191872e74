"""Processes that are kept alive: started, watched, started again, and ended in order."""

import asyncio
import contextlib
import ctypes
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from carillon.errors import PlainError

FIRST_BACK_OFF = 0.2
LONGEST_BACK_OFF = 10.0
MOST_DOUBLED = 10  # times; far beyond the longest, and far below what a float holds
STEADY = 2.0  # seconds of being ready after which the next death counts as the first again
PROBE_EVERY = 0.05
LOG_TAIL_LINES = 15
PR_SET_PDEATHSIG = 1


class NotReadyError(PlainError):
    """A process did not become ready; the text ends with the last lines of its log."""


class NotPreparedError(PlainError):
    """A process that answered went away while it was being prepared; worth another try."""


async def nothing_to_prepare() -> None:
    """For a process that is complete once it is ready."""


@dataclass(frozen=True, slots=True)
class Program:
    """What to run, how to know that it is ready, and how to end it."""

    name: str
    command: Sequence[str]
    url: str
    log: Path
    folder: Path
    ready: Callable[[], Awaitable[bool]]
    # After every start, once ready; NotPreparedError has it tried again.
    prepare: Callable[[], Awaitable[None]] = nothing_to_prepare
    environment: Mapping[str, str] = field(default_factory=dict)
    patience: float = 15.0  # seconds to end after SIGTERM
    start_within: float = 60.0
    when_launcher_dies: signal.Signals = signal.SIGKILL


class Supervised:
    """One program kept running until it is told to stop."""

    def __init__(self, program: Program, changed: Callable[[str], None]) -> None:
        """`changed` is told in a few words whenever the process came or went."""
        self.program = program
        self.pid: int | None = None
        self._changed = changed
        self._process: asyncio.subprocess.Process | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._deaths = 0
        self._ready_since = float("inf")

    async def start(self) -> None:
        """Return when the program is ready and prepared.

        Raises:
            NotReadyError: it died or took too long.
        """
        await self._spawn()
        try:
            async with asyncio.timeout(self.program.start_within):
                await self._until_ready()
        except TimeoutError as error:
            raise NotReadyError(self._complaint("was not ready in time")) from error
        self._keeper = asyncio.create_task(self._keep(), name=f"keep {self.program.name}")

    async def stop(self) -> None:
        """End the process: SIGTERM first, SIGKILL when it does not listen."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
            self._keeper = None
        process = self._process
        if process is None or process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), self.program.patience)
        except TimeoutError:
            self._changed(f"did not end within {self.program.patience:.0f} s and was killed")
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
        self.pid = None

    async def _spawn(self) -> None:
        program = self.program
        program.log.parent.mkdir(parents=True, exist_ok=True)
        with program.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *program.command,
                cwd=program.folder,
                env=dict(program.environment),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C reaches the launcher only; it ends us in order
                preexec_fn=_dies_with_launcher(program.when_launcher_dies),
            )
        self.pid = self._process.pid

    async def _until_ready(self) -> None:
        while not (await self.program.ready() and await self._prepared()):
            if self._process is None or self._process.returncode is not None:
                raise NotReadyError(self._complaint("ended before it was ready"))
            await asyncio.sleep(PROBE_EVERY)
        self._ready_since = time.monotonic()

    async def _prepared(self) -> bool:
        try:
            await self.program.prepare()
        except NotPreparedError:
            return False
        return True

    async def _keep(self) -> None:
        while self._process is not None:
            code = await self._process.wait()
            was_steady = time.monotonic() - self._ready_since > STEADY
            self._deaths = 1 if was_steady else self._deaths + 1
            self._ready_since = float("inf")
            pause = min(FIRST_BACK_OFF * 2 ** min(self._deaths - 1, MOST_DOUBLED), LONGEST_BACK_OFF)
            self.pid = None
            self._changed(f"{_ending(code)}; starting it again in {pause:.1f} s")
            await asyncio.sleep(pause)
            await self._spawn()
            self._changed(f"started again with pid {self.pid}")
            await self._prepared_again()

    async def _prepared_again(self) -> None:
        try:
            async with asyncio.timeout(self.program.start_within):
                await self._until_ready()
        except TimeoutError:
            self._changed("is not ready yet after its new start")
        except NotReadyError:
            return  # the loop sees the death and waits longer
        else:
            self._changed("ready again")

    def _complaint(self, what: str) -> str:
        return f"{self.program.name} {what}.\n{log_tail(self.program.log)}"


def log_tail(log: Path) -> str:
    """The last lines of a log, for an error's text."""
    try:
        lines = log.read_text(errors="replace").splitlines()[-LOG_TAIL_LINES:]
    except FileNotFoundError:
        return f"({log} is not there)"
    return "\n".join([f"{log} ends with:", *(f"  {line[:400]}" for line in lines)])


def _ending(code: int) -> str:
    if code < 0:
        return f"was ended by {signal.Signals(-code).name}"
    return f"ended with exit code {code}"


def _dies_with_launcher(number: signal.Signals) -> Callable[[], None] | None:
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl  # looked up before the fork

    def ask_the_kernel() -> None:
        prctl(PR_SET_PDEATHSIG, int(number))

    return ask_the_kernel


async def together(*pieces: Coroutine[None, None, None]) -> None:
    """Do these at the same time; the first that fails ends the others."""
    try:
        async with asyncio.TaskGroup() as group:
            for piece in pieces:
                group.create_task(piece)
    except BaseExceptionGroup as failed:
        raise failed.exceptions[0] from None
