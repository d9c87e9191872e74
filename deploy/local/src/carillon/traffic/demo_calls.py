"""The demo campaign of calls: made-up people, rung in the simulated phone network."""

import csv
import io
from collections.abc import AsyncIterator, Sequence
from itertools import islice

from carillon.api_client import Person
from carillon.traffic.demo import fictional_numbers

CALLS = 300
SEATS = 30
DIALS_PER_S = 20
IN_A_HURRY = """\
# The phone network of a platform that `carillon watch` starts: ten times as fast as people are.
[[telephony]]
id = "sim"
type = "simulator"
seed = 1
time_scale = 10
answer = 0.5
"""


async def start_demo_calls(
    author: Person, name: str = "Demo calls", numbers: Sequence[str] | None = None
) -> str:
    """Create, fill and start the campaign; return its id.

    Raises:
        ProblemError: the platform refused a step.
        UnreachableError: the platform does not answer.

    """
    wish = {
        "channel": "voice",
        "name": name,
        "destination": "sim:agents",
        "caller_ids": ["+12015550100"],
        "concurrency_limit": SEATS,
        "cps_limit": DIALS_PER_S,
        "time_window": {"start": "00:00", "end": "23:59", "timezone": "UTC"},
        "campaign_mode": "continuous",
        "redial_rules": {"max_attempts": 2, "retry_delay_minutes": 0},
    }
    campaign = str((await author.ask("POST", "/campaigns", wish))["id"])
    await author.send(f"/campaigns/{campaign}/contacts", "text/csv", _people(numbers))
    await author.ask("POST", f"/campaigns/{campaign}/start", {})
    return campaign


async def _people(numbers: Sequence[str] | None) -> AsyncIterator[bytes]:
    called = islice(fictional_numbers(), CALLS) if numbers is None else numbers
    text = io.StringIO(newline="")
    rows = csv.writer(text)
    rows.writerow(("phone", "name"))
    rows.writerows((number, "Ada") for number in called)
    yield text.getvalue().encode()
