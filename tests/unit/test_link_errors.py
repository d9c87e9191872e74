import re
from pathlib import Path

import pytest

from dispatcher.links.errors import TREATMENTS, verdict
from dispatcher.links.link import Verdict
from dispatcher.links.smpp import FIRST_PAUSE_S, LONGEST_PAUSE_S, pause_after
from smpp.status import Status

CARRIERS = Path(__file__).parents[2] / "docs" / "carriers.md"
ROW = re.compile(r"\| `0x([0-9A-F]{2})` \| `(ESME_\w+)` \| (\w+) \| (.+) \|")


def test_every_status_of_the_specification_has_a_treatment() -> None:
    assert set(TREATMENTS) == set(Status) - {Status.ESME_ROK}


def test_the_table_that_people_read_is_the_one_that_counts() -> None:
    rows = ROW.findall(CARRIERS.read_text("utf-8"))
    shown = {(int(number, 16), name, treated, why) for number, name, treated, why in rows}

    table = {(one.value, one.name, treated, why) for one, (treated, why) in TREATMENTS.items()}
    assert shown == table | {(0, "ESME_ROK", "accepted", "wait for the report")}


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (0x00, "accepted"),
        (0x58, "throttled"),
        (0x14, "throttled"),
        (0x08, "temporary"),
        (0x0B, "permanent"),
        (0x401, "permanent"),
        (0x12345, "permanent"),
    ],
)
def test_a_status_means_what_the_table_says(status: int, expected: Verdict) -> None:
    assert verdict(status) == expected


def test_a_link_may_see_it_differently() -> None:
    assert verdict(0x401, {0x401: "temporary"}) == "temporary"
    assert verdict(0x45, {0x401: "temporary"}) == "permanent"


def test_pauses_between_binds_grow_up_to_a_limit_however_long_the_carrier_is_away() -> None:
    assert all(pause_after(1) <= 2 * FIRST_PAUSE_S for _ in range(50))
    assert all(LONGEST_PAUSE_S / 4 <= pause_after(10**6) <= LONGEST_PAUSE_S for _ in range(50))
    assert len({pause_after(3) for _ in range(20)}) > 1
