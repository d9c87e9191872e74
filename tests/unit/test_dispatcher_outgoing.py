from datetime import UTC, datetime, timedelta
from math import inf
from typing import Any

from campaign_events.message import PortionOpened
from dispatcher.audience import Audience
from dispatcher.links.link import Part, Source
from dispatcher.outgoing import Outgoing
from dispatcher.portions import Spread
from dispatcher.resting import Recipient, Resting

START = datetime(2026, 6, 1, 9, tzinfo=UTC)
DAY = timedelta(days=1)
NOWHERE: Any = None

PART = Part(("c", 1, 0), "+1", 0, b"x", 0, udh=False, source=Source("Shop"))


def recipient(number: int) -> Recipient:
    return Recipient(number, f"+{number}", f"h{number}", (PART,))


def spread(fresh: int, **facts: Any) -> Outgoing:
    days = Spread(START, START + 3 * DAY, UTC)
    audience = Audience(NOWHERE, "a")
    facts = {"queued": fresh, "fresh": fresh, "portion_left": 0, "paused": False} | facts
    return Outgoing("c", "w", audience, "spread", "x", Source("Shop"), spread=days, **facts)


def test_nothing_is_taken_of_a_campaign_before_its_portion_is_open() -> None:
    campaign = spread(10)
    campaign.ready.append(recipient(1))
    waited_before = campaign.waits
    portion = campaign.portion(START)
    assert portion == PortionOpened(day=0, count=4)
    campaign.opened(portion, 7)
    assert (waited_before, campaign.waits) == (False, True)
    assert campaign.portion(START) is None


def test_a_used_up_portion_stops_fresh_messages_and_not_those_tried_again() -> None:
    campaign = spread(10, portion_day=0, portion_left=1, taken_to=3)
    campaign.ready.extend([recipient(4), recipient(5)])
    campaign.resting.again.append(recipient(2))
    taken = [campaign.pop(), campaign.pop()]
    assert [one.number for one in taken] == [2, 4]
    assert not campaign.waits
    campaign.took(taken, 9)
    assert (campaign.queued, campaign.fresh, campaign.submitting) == (8, 9, 2)


def test_who_opted_out_uses_up_nothing_of_a_portion() -> None:
    campaign = spread(10, portion_day=0, portion_left=2)
    campaign.ready.extend(map(recipient, range(1, 5)))
    campaign.skipped([campaign.pop()], 5)
    assert (campaign.portion_left, campaign.fresh) == (2, 9)


def test_the_next_day_shares_out_what_is_left_and_deferred_ones_do_not_count_twice() -> None:
    campaign = spread(10)
    campaign.opened(PortionOpened(day=0, count=4), 1)
    campaign.took(list(map(recipient, range(1, 5))), 2)
    campaign.count("deferred", 2, START)
    assert campaign.queued == 8
    assert campaign.portion(START + DAY) == PortionOpened(day=1, count=3)


def test_a_campaign_started_late_begins_with_the_portion_of_the_day() -> None:
    assert spread(10).portion(START + DAY) == PortionOpened(day=1, count=5)
    assert spread(10).portion(START + 9 * DAY) == PortionOpened(day=2, count=10)
    assert spread(0).portion(START) is None


def test_what_is_put_away_is_read_again_but_not_what_was_skipped_or_taken() -> None:
    campaign = spread(10, portion_left=inf)
    campaign.ready.extend(map(recipient, range(1, 7)))
    campaign.read_to = 6
    campaign.took([campaign.pop(), campaign.pop()], 3)
    campaign.skipped([campaign.pop()], 4)
    campaign.put_away()
    assert (campaign.taken_to, campaign.read_to, len(campaign.ready)) == (2, 3, 0)


def test_a_plan_that_grows_is_counted_once() -> None:
    campaign = spread(0, listed=5, planned_to=5)
    for _ in range(2):
        campaign.hear_plan({"listed": 8, "planned_to": 9, "queued": 1})
    assert (campaign.queued, campaign.fresh, campaign.planned_to) == (3, 3, 9)


def row(number: int, due_at: datetime) -> dict[str, Any]:
    return {"number": number, "due_at": due_at}


def test_what_was_taken_again_is_not_believed_until_the_view_has_heard_of_it() -> None:
    resting = Resting()
    resting.gone([4, 5], 10)
    resting.again.append(recipient(6))
    assert resting.not_these(folded_to=9) == {4, 5, 6}
    assert resting.not_these(folded_to=10) == {6}


def test_the_next_look_is_when_the_next_one_is_due() -> None:
    resting, now = Resting(look_at=0), START.timestamp()
    rows = [row(1, START), row(2, START + timedelta(seconds=30))]
    assert [one["number"] for one in resting.due(rows, 10, now, 0)] == [1]
    assert resting.look_at == now + 30
    assert resting.due([], 10, now, 0) == []
    assert resting.look_at == inf


def test_when_more_are_due_than_wanted_the_next_look_is_now() -> None:
    resting, now = Resting(look_at=0), START.timestamp()
    rows = [row(number, START) for number in range(5)]
    assert len(resting.due(rows, 3, now, 0)) == 3
    assert resting.look_at == now


def test_a_deferral_that_the_view_does_not_show_yet_is_not_forgotten() -> None:
    resting, now = Resting(), START.timestamp()
    resting.rest(now + 5, seq=20)
    assert resting.look_at == now + 5
    far = [row(9, START + timedelta(hours=1))]
    resting.due(far, 10, now, folded_to=19)
    assert resting.look_at == now + 5
    resting.due(far, 10, now, folded_to=20)
    assert resting.look_at == now + 3600
