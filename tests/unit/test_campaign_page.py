"""What the page of one campaign is told: its end comes with its last messages."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from read_model import live
from read_model.live import LOOKS, campaign_question
from read_model.standing import Standing
from read_model.streams import Key

KEY = Key("w", "c")


def stands(status: str, **totals: int) -> Standing:
    return Standing({"status": status, "channel": "sms"}, totals, run=1, live=None)


async def first_told(monkeypatch: pytest.MonkeyPatch, seen: Iterator[Standing]) -> Standing:
    async def look(*_: object) -> Standing:
        return next(seen)

    monkeypatch.setattr(live, "standing", look)
    monkeypatch.setattr(live, "LOOK_S", 0)
    nothing: Any = SimpleNamespace()
    told = await campaign_question(nothing, nothing, [], KEY).read()
    assert told is not None
    return told.standing


async def test_the_end_is_told_with_the_last_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    early, late = stands("done", submitted=1, delivered=7), stands("done", delivered=8)

    assert await first_told(monkeypatch, iter((early, early, late))) is late


async def test_reports_that_nobody_waits_for_hold_nothing_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given_up = [stands("done", submitted=1, delivered=7) for _ in range(LOOKS)]

    assert await first_told(monkeypatch, iter(given_up)) is given_up[-1]


async def test_what_is_under_way_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    sending = stands("sending", submitted=1)

    assert await first_told(monkeypatch, iter((sending,))) is sending
