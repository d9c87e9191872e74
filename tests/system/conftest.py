"""One platform for all tests of this folder that leave it well, whatever they do to it in between;
each has a workspace of its own.
"""

import itertools
from collections.abc import AsyncIterator, Callable, Iterator

import pytest

from stack_campaigns import Crew, phones
from stacks import Link, Platform, platform
from voice_campaigns import TELEPHONY

CARRIER = """
[answers]
latency_ms = 5
jitter_ms = 2
refused = { ESME_RINVDSTADR = 0.02 }
[receipts]
min_s = 0.05
mean_s = 0.2
max_s = 3
window = 500
[[receipts.states]]
stat = "UNDELIV"
error = "001"
share = 0.03
"""
SLOW_PER_S = 40

type Numbers = Callable[[int], list[str]]


@pytest.fixture(scope="session")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    links = [Link("sim"), Link("slow", window=10, segments_per_second=SLOW_PER_S)]
    with platform(
        tmp_path_factory.mktemp("up"),
        carrier=CARRIER,
        links=links,
        telephony=TELEPHONY,
        undecided_wait_s=5,
    ) as started:
        yield started


@pytest.fixture
async def crew(up: Platform) -> AsyncIterator[Crew]:
    people = Crew.of(up)
    yield people
    await people.close()


@pytest.fixture(scope="session")
def numbers() -> Numbers:
    """Gives numbers that no other test has had."""
    places = itertools.count()

    def some(count: int) -> list[str]:
        first = next(places)
        for _ in range(count - 1):
            next(places)
        return phones(count, first)

    return some
