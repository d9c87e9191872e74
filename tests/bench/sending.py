"""Messages per second through SMPP with delivery reports, beside Kannel and the bare link."""

import asyncio
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

import psutil
import uvloop

from bench.campaigns import carrier, cpu_seconds, platform, prepare, send, sender
from bench.gateway import Gateway
from bench.jasmin import JASMIN, running_jasmin
from bench.kannel import KANNEL, running_kannel
from bench.raw import raw_link_rate
from bench.rows import SHORT, Findings, Row, measured, say
from carrier import running
from stacks import Link

COUNT = 2_000 if SHORT else 50_000
RUNS = 1 if SHORT else 3
WINDOW = 100
CONNECTIONS = 50
"""Over so many connections Kannel is asked: the best of 10, 20, 50, 100 and 200."""
REPORTS = "min_s = 0.1\nmean_s = 0.3\nmax_s = 1\n"
WANTED_PER_S = 3_000
WANTED_TIMES = 3
WANTED_SHARE = 0.8
LONGEST_S = 300


@dataclass(frozen=True, slots=True)
class Run:
    """What one run came to: messages per second, µs of processor time per message by process."""

    per_s: float
    cost_us: Mapping[str, float]
    lost: int = 0
    """How many reports nobody was told of."""


@dataclass(frozen=True, slots=True)
class Peer:
    """A gateway that is measured beside Carillon."""

    running: Callable[[Path, Link, int], AbstractContextManager[Gateway]]
    count: int
    connections: int


KANNEL_PEER = Peer(running_kannel, COUNT, CONNECTIONS)
JASMIN_PEER = Peer(running_jasmin, 200 if SHORT else 2_000, 20)
JASMIN_BINDS = 10
METHOD = f"""\
{COUNT:,} messages of one part to as many numbers, each with a delivery report 0.1 to 1 s later
(0.3 s in the mean beyond 0.1), from one and the same carrier program, which answers every submit
20 or 50 ms after it was read, never earlier, and sends its reports in lots of 5 ms. Fresh
platforms, Kannels and carriers for each of {RUNS} runs, in turn. Carillon: from the first intent
to send to the last report, as its log tells; the log fsyncs every entry, MongoDB journals, every
view is kept all the while. Kannel {{version}} (bearerbox, smsbox): from the first request to the
last report at the user's HTTP server, over {CONNECTIONS} kept connections, a request answered when
bearerbox has the message in its store (`store-type = file`, which it never fsyncs; `spool` is as
fast), `dlr-storage = internal` (in memory, lost in a crash), `max-pending-submits` as the window,
no throughput limit, no logs but errors. The bare link: Carillon's SMPP client alone, nothing
stored anywhere. {JASMIN} has no window: a connector is one bind and asks for its next message when
the carrier has answered the last (a prefetch of 1 in its code), at 20 ms never more than 50 a
second. So it gets {JASMIN_BINDS} binds where Carillon has one, and, being slow,
{JASMIN_PEER.count:,} messages a run, after all the others' runs at 20 ms: `jasmind`, `dlrlookupd`
and `dlrd`, as it advises, over Debian's RabbitMQ and Redis, `submit_throughput 0`, no billing, no
logs but errors, {JASMIN_PEER.connections} kept connections. Its queues and messages are neither
durable nor confirmed, Redis writes nothing to the disk: a crash loses them. (0.11.1 tells users of
no report: jookies/jasmin, issue 1236.) Carrier, users and measuring share the machine's cores with
who is measured.
"""


async def carillon(link: Link, latency_ms: int) -> Run:
    """Send one campaign over a fresh platform."""
    async with platform((link,), latency_ms, reports=REPORTS) as stack:
        campaign = await prepare(stack, await sender(stack), link.id, COUNT)
        before = cpu_seconds(stack)
        per_s = await send(stack, campaign, COUNT)
        after = cpu_seconds(stack)
    return Run(per_s, {name: (used - before[name]) / COUNT * 1e6 for name, used in after.items()})


def gateway(peer: Peer, link: Link, latency_ms: int) -> Run:
    """Have a fresh gateway send over this link.

    Raises:
        CalledProcessError: it refused something, or this machine can not get it.
        TimeoutExpired: it takes too long.

    """
    with tempfile.TemporaryDirectory(prefix="carillon-bench-") as temporary:
        folder = Path(temporary)
        config = carrier([link], latency_ms, reports=REPORTS)
        with (
            running(folder, config) as listening,
            peer.running(folder / "gateway", link, listening.port) as running_gateway,
        ):
            processes = {**running_gateway.processes, "carrier": listening.pid}
            before = used_s(processes)
            door = json.dumps(asdict(running_gateway.door))
            numbers = (str(peer.count), str(peer.connections))
            user = subprocess.run(
                [sys.executable, "-m", "bench.gateway_user", door, *numbers],
                stdout=subprocess.PIPE,
                timeout=LONGEST_S,
                check=True,
            )
            after = used_s(processes)
    told = json.loads(user.stdout)
    costs = {name: (used - before[name]) / peer.count * 1e6 for name, used in after.items()}
    costs["user"] = told["cpu_s"] / peer.count * 1e6
    return Run(told["reported"] / told["seconds"], costs, peer.count - int(told["reported"]))


def used_s(processes: Mapping[str, int]) -> dict[str, float]:
    """Processor time that each of these has used so far."""
    times = {name: psutil.Process(pid).cpu_times() for name, pid in processes.items()}
    return {name: used.user + used.system for name, used in times.items()}


def costs(runs: Sequence[Run]) -> str:
    """Tell the median processor time per message of each process that has any."""
    medians = {name: median([run.cost_us[name] for run in runs]) for name in runs[0].cost_us}
    each = ", ".join(f"{name} {cost:.0f}" for name, cost in medians.items() if cost >= 1)
    return f"{sum(medians.values()):.0f} µs of processor time per message: {each}"


def rates(runs: Sequence[Run]) -> tuple[float, ...]:
    """The messages per second of all runs."""
    return tuple(run.per_s for run in runs)


async def case(latency_ms: int, sessions: int, *, beside_kannel: bool) -> list[Row]:
    """Measure one carrier in turn through everything; return the rows about it."""
    link = Link("fast", WINDOW, 100_000, sessions)
    what = f"SMS with reports, {latency_ms} ms, {sessions} x window {WINDOW}"
    ours: list[Run] = []
    theirs: list[Run] = []
    bare: list[float] = []
    for _ in range(RUNS):
        ours.append(await carillon(link, latency_ms))
        say(f"{what}: {ours[-1].per_s:,.0f}/s; {costs(ours[-1:])}")
        bare.append(await raw_link_rate(link, latency_ms, COUNT, REPORTS))
        say(f"  the bare link {bare[-1]:,.0f}/s")
        if beside_kannel:
            theirs.append(gateway(KANNEL_PEER, link, latency_ms))
            say(f"  Kannel {theirs[-1].per_s:,.0f}/s; {costs(theirs[-1:])}")
    limit = sessions * WINDOW * 1000 / latency_ms
    wanted = min(WANTED_PER_S, WANTED_SHARE * limit)
    found = Row(
        what=f"{what}, of the window's limit",
        unit="messages/s",
        ours=rates(ours),
        beside="binds x window / latency",
        theirs=(limit,),
        aim=f"{wanted:,.0f} messages/s",
        reached=median(rates(ours)) >= wanted,
        note=costs(ours),
    )
    rows = [
        found,
        found.model_copy(
            update={
                "what": f"{what}, of the bare link",
                "beside": "the same link with nothing stored",
                "theirs": tuple(bare),
                "aim": "",
                "reached": None,
                "note": "",
            }
        ),
    ]
    return [beside(what, ours, theirs, limit), *rows] if theirs else rows


def beside(what: str, ours: Sequence[Run], theirs: Sequence[Run], limit: float) -> Row:
    """Return the row beside Kannel; where the window can not let that much through, it says so."""
    we, they = median(rates(ours)), median(rates(theirs))
    aim, reached = f"{WANTED_TIMES} times Kannel", None
    if WANTED_TIMES * they <= limit:
        reached = we >= WANTED_TIMES * they
    else:
        aim += f"; the window allows {limit / they:.1f} times"
    return Row(
        what=what,
        unit="messages/s",
        ours=rates(ours),
        beside=f"Kannel {KANNEL.version()}",
        theirs=rates(theirs),
        aim=aim,
        reached=reached,
        note=(
            f"Kannel: {costs(theirs)}, {they / limit:.0%} of the window's limit. "
            f"Its user needs {user_share(theirs):.0%} of a core. "
            f"Reports that Kannel lost: {sum(run.lost for run in theirs)}."
        ),
    )


def user_share(runs: Sequence[Run]) -> float:
    """Which share of a core the program took that asks Kannel and counts its reports."""
    return median([run.cost_us["user"] * run.per_s / 1e6 for run in runs])


def beside_jasmin(ours: Row) -> Row:
    """Return the row beside Jasmin; one that says why it is left out where it does not run."""
    theirs: list[Run] = []
    told: dict[str, object] = {"aim": "", "reached": None}
    try:
        for _ in range(RUNS):
            theirs.append(gateway(JASMIN_PEER, Link("fast", WINDOW, 100_000, JASMIN_BINDS), 20))
            say(f"  Jasmin {theirs[-1].per_s:,.0f}/s; {costs(theirs[-1:])}")
    except (subprocess.SubprocessError, OSError, RuntimeError) as error:
        why = str(error)
        if isinstance(error, subprocess.CalledProcessError):
            program = " ".join(Path(word).name for word in error.cmd[:3])
            why = f"`{program}` ended with {error.returncode}"
        told |= {"beside": f"{JASMIN}, left out: {why}", "theirs": (), "note": ""}
    else:
        lost = sum(run.lost for run in theirs)
        told |= {
            "beside": f"{JASMIN}, {JASMIN_BINDS} binds,",
            "theirs": rates(theirs),
            "note": f"Jasmin: {costs(theirs)}. Reports that it lost: {lost}.",
        }
    return ours.model_copy(update=told)


async def measure() -> Findings:
    """Measure every carrier."""
    kannel, *others = await case(20, 1, beside_kannel=True)
    rows = [
        kannel,
        beside_jasmin(kannel),
        *others,
        *await case(50, 1, beside_kannel=True),
        *await case(20, 2, beside_kannel=False),
    ]
    return Findings(
        title="Sending SMS", method=METHOD.format(version=KANNEL.version()), rows=tuple(rows)
    )


if __name__ == "__main__":
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())  # as every service has
    measured("sending", measure)
