"""A wish in one go: load what happened, decide, append; and once more when somebody was faster."""

import time
from collections.abc import Sequence
from functools import cache
from typing import Any

import anyio
from prometheus_client import Counter, Histogram

from campaign_events import tracing
from campaign_events.decider import Conflict, Decider, Refused
from campaign_events.envelope import Address, Event, Origin, Position, Recorded
from campaign_events.eventlog import EventLog

COMMANDS = Counter("carillon_commands", "Commands decided", ["command", "outcome"])
DECIDED = Histogram(
    "carillon_command_seconds",
    "Load, decide and append, with every repetition",
    ["command"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)


@cache
def _took(command: str) -> Histogram:
    return DECIDED.labels(command)


@cache
def _ended(command: str, outcome: str) -> Counter:
    return COMMANDS.labels(command, outcome)


async def execute[C, E: Event, S](
    log: EventLog,
    decider: Decider[C, E, S],
    address: Address,
    command: C,
    origin: Origin,
) -> tuple[S, Position]:
    """Load, decide, append; decide again when somebody was faster. Returns the state afterwards.

    A yes is given on the history as this process knows it, maybe nothing, for the log takes it only
    if that is whole; a no only on what the log says now.

    The same command id given twice has one effect, however much later the second time is.

    Raises:
        Refused: the decider says no.
        Conflict: others keep being faster (8 tries).
        Unavailable, Rejected: as for `EventLog.append`.

    """
    name, outcome = type(command).__name__, "failed"
    began = time.perf_counter()
    with tracing.span(f"command {name}", thing=address.thing):
        try:
            state, position, is_new = await _executed(log, decider, address, command, origin)
            outcome = "done" if is_new else "nothing"
        except (Refused, Conflict) as error:
            outcome = type(error).__name__.lower()
            raise
        finally:
            _took(name).observe(time.perf_counter() - began)
            _ended(name, outcome).inc()
    return state, position


async def _executed[C, E: Event, S](
    log: EventLog,
    decider: Decider[C, E, S],
    address: Address,
    command: C,
    origin: Origin,
) -> tuple[S, Position, bool]:
    """Do as `execute` does; tell besides whether anything has come of it."""
    mine = f"{origin.command_id}:"
    for attempt in range(8):
        # What is remembered may be old: then the log refuses the append, and a no is asked about.
        is_asked = attempt > 0
        if is_asked:
            history: Sequence[Recorded[Any]] = await log.load(address)
            state = decider.fold(recorded.event for recorded in history)
        else:
            history, state = log.remembered(address, decider)
        is_done = any(recorded.id.startswith(mine) for recorded in history)
        try:
            events = () if is_done else decider.decide(state, command)
        except Refused:
            if is_asked:
                raise
            continue
        seen = history[-1].seq if history else 0
        if events:
            if history:
                tracing.link(history[-1].traceparent)
            try:
                position = await log.append(events, address, origin, after=seen)
            except Conflict:
                await anyio.sleep(0.005 * attempt)
                continue
            return decider.fold(events, state), position, True
        if is_asked:
            return state, Position.of("CAMPAIGNS", seen), False
    raise Conflict(f"{address.thing} changes faster than it can be decided on")
