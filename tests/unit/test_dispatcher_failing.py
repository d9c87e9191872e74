"""What fails while one campaign of a link is worked on leaves the link's other campaigns alone."""

import asyncio
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from campaign_events.backoff import Backoff
from campaign_events.decider import Conflict
from campaign_events.message import PortionOpened
from dispatcher.audience import Audience
from dispatcher.links.link import Source
from dispatcher.outgoing import Outgoing
from dispatcher.portions import Spread
from dispatcher.sending import Limits, Sender
from dispatcher.shelf import Shelf
from dispatcher.taking import Taker

NOW = datetime.now(UTC)
HOUR = timedelta(hours=1)
NOTHING: Any = None


class Log:
    """Keeps the types of what is appended, by campaign."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.told: list[tuple[str, str]] = []
        self._failure = failure

    async def append_fact(self, fact: Any, _origin: Any) -> int:
        if self._failure is not None:
            raise self._failure
        self.told.append((fact.address.thing, fact.event.type))
        return len(self.told)


class Broken(Spread):
    """Days that can not be told."""

    def day_at(self, moment: datetime) -> int:
        raise KeyError(moment)


def campaign(name: str, **facts: Any) -> Outgoing:
    known: dict[str, Any] = {"spread": Spread(NOW - HOUR, NOW + HOUR, UTC), "paused": False}
    return Outgoing(
        name, "w", Audience(NOTHING, "a"), "spread", "x", Source("Shop"), **known | facts
    )


def sender(log: Log, *campaigns: Outgoing) -> Sender:
    link: Any = SimpleNamespace(id="l", stirred=asyncio.Event())
    shelf: Any = SimpleNamespace(put_away=lambda _: None, look_after=lambda *_: None)
    limits = Limits(10, 100, timedelta(hours=1))
    settling: Any = NOTHING
    found = Sender(log, link, limits, settling, shelf, lambda _: False, NOTHING, Backoff())
    for one in campaigns:
        found.put(one)
    return found


def taker(log: Log) -> Taker:
    return Taker(log, "l", 1, lambda _: False)


async def test_a_campaign_whose_portion_can_not_be_told_rests_and_others_have_theirs() -> None:
    log, days = Log(), Broken(NOW - HOUR, NOW + HOUR, UTC)
    bad, good = campaign("bad", fresh=4, spread=days), campaign("good", fresh=4)
    sending = sender(log, bad, good)
    await sending._open_portions(taker(log))
    assert log.told == [("good", PortionOpened(day=0, count=1).type)]
    assert list(sending._active(put_away=False)) == [good]


async def test_a_campaign_of_which_nobody_can_tell_whether_it_sends_rests() -> None:
    bad, good = campaign("bad", ends_at="tomorrow"), campaign("good")
    sending = sender(Log(), bad, good)
    assert not sending._sendable()
    assert list(sending._active(put_away=False)) == [good]


async def test_an_end_that_can_not_be_told_keeps_no_other_campaign_from_its_own() -> None:
    log = Log()
    bad = campaign("bad", ends_at="tomorrow", queued=1)
    good = campaign("good", planned=True)
    await sender(log, bad, good)._finish()
    assert log.told == [("good", "message.finished")]


async def test_a_conflict_is_no_campaigns_own() -> None:
    log = Log(Conflict("somebody else sends"))
    sending = sender(log, campaign("c", fresh=4))
    with pytest.raises(Conflict):
        await sending._open_portions(taker(log))


async def test_deferred_messages_that_could_not_be_made_are_looked_for_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def fill(_shelf: Shelf, filled: Outgoing, _now: datetime) -> None:
        filled.resting.look_at = float("inf")
        raise KeyError("name")

    monkeypatch.setattr(Shelf, "_fill", fill)
    one = campaign("c")
    one.resting.look_at = 0
    shelf = Shelf(NOTHING, lambda: 0, SimpleNamespace(forgotten=0), b"")  # type: ignore[arg-type]
    shelf.look_after(one, NOW, lambda: None)
    with pytest.raises(KeyError):
        shelf.look_after(one, NOW, lambda: None)
    assert one.resting.look_at == 0
