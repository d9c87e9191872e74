"""Every way in which an unanswered call can end is one of ours."""

from collections.abc import Mapping
from pathlib import Path
from typing import get_args

import pytest

from dialler.telephony.causes import BY_CAUSE, BY_SIP, outcome
from dialler.telephony.telephony import RETRYABLE, Cause, Outcome
from phones.exchange import FAILURES

TELEPHONY = Path(__file__).parents[2] / "docs" / "telephony.md"


@pytest.mark.parametrize(
    ("cause", "ends_as"),
    [
        (Cause(17, 486), "busy"),
        (Cause(19, 480), "no_answer"),
        (Cause(19), "no_answer"),
        (Cause(1, 404), "unallocated"),
        (Cause(21, 603), "rejected"),
        (Cause(21), "rejected"),
        (Cause(21, 403), "error"),
        (Cause(34, 503), "error"),
        (Cause(18, 408), "timeout"),
        (Cause(28, 484), "unallocated"),
        (Cause(99, 599), "error"),
        (Cause(), "error"),
    ],
    ids=str,
)
def test_the_sip_status_decides_where_it_says_more_than_the_cause(
    cause: Cause, ends_as: Outcome
) -> None:
    assert outcome(cause, rang=False) == ends_as


def test_a_call_that_rang_has_had_no_timeout() -> None:
    assert outcome(Cause(18, 408), rang=True) == "no_answer"


def test_the_tables_hold_outcomes_and_reasons_only() -> None:
    outcomes = set(get_args(Outcome.__value__))
    for table in (BY_SIP, BY_CAUSE):
        assert all(known in outcomes and why for known, why in table.values())
    assert outcomes >= RETRYABLE


def test_the_simulator_gives_the_causes_that_the_table_maps_to_its_outcomes() -> None:
    for ends_as, q850, sip in FAILURES.values():
        assert outcome(Cause(q850, sip), rang=False) == ends_as


@pytest.mark.parametrize("table", [BY_SIP, BY_CAUSE], ids=["SIP", "Q.850"])
def test_the_documented_table_is_the_one_that_decides(
    table: Mapping[int, tuple[Outcome, str]],
) -> None:
    documented = TELEPHONY.read_text("utf-8").splitlines()
    for number, (ends_as, why) in table.items():
        retried = "yes" if ends_as in RETRYABLE else "no"
        assert f"| {number} | `{ends_as}` | {retried} | {why} |" in documented
