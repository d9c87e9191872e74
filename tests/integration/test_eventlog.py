import asyncio
from datetime import UTC, datetime

import pytest
from nats.aio.client import Client

from campaign_events.campaign import CampaignEdited, CampaignPaused, CampaignResumed, SmsSettings
from campaign_events.decider import Conflict
from campaign_events.envelope import Actor, Address, Event, Origin, encode, new_id
from campaign_events.eventlog import EventLog, Fact, NotUnderstood
from campaign_events.follow import Follower
from campaign_events.message import SendingFinished
from campaign_events.moderation import ModerationApproved

AT = datetime(2026, 11, 22, 9, 30, 0, 123456, tzinfo=UTC)
BY = Actor(id="u1", name="Ada")
PAUSED = CampaignPaused(was="sending", by=BY)
RESUMED = CampaignResumed(was="paused", by=BY)


def origin(command_id: str | None = None) -> Origin:
    return Origin(command_id or new_id(), AT, "test")


@pytest.fixture
def address(workspace: str) -> Address:
    return Address(workspace, new_id())


async def test_what_was_appended_is_loaded_in_order(log: EventLog, address: Address) -> None:
    first = await log.append([PAUSED, RESUMED], address, origin(), after=0)
    await log.append([PAUSED], address, origin(), after=first.seqs[0][1])

    history = await log.load(address)

    assert [recorded.event for recorded in history] == [PAUSED, RESUMED, PAUSED]
    assert history[0].time == AT
    assert history[0].address == address


async def test_the_history_of_a_campaign_holds_what_moderation_says_of_it(
    log: EventLog, address: Address
) -> None:
    position = await log.append([PAUSED], address, origin(), after=0)
    await log.append([ModerationApproved(by=BY)], address, origin(), after=position.seqs[0][1])

    assert [type(recorded.event) for recorded in await log.load(address)] == [
        CampaignPaused,
        ModerationApproved,
    ]


@pytest.mark.parametrize("entry", [b"not json", b"teleported"])
async def test_nobody_decides_on_a_history_that_they_can_not_read(
    nc: Client, log: EventLog, address: Address, entry: bytes
) -> None:
    await log.append([PAUSED], address, origin(), after=0)
    if entry == b"teleported":
        entry = encode(PAUSED, "x", address, origin()).replace(b"campaign.paused", b"campaign.sung")
    subject = f"campaign.{address.workspace}.{address.thing}.sung"
    await nc.jetstream().publish(subject, entry)

    with pytest.raises(NotUnderstood, match=r"campaign\.sung"):
        await log.load(address)


async def test_a_decision_on_an_old_history_is_a_conflict(log: EventLog, address: Address) -> None:
    await log.append([PAUSED], address, origin(), after=0)

    with pytest.raises(Conflict):
        await log.append([RESUMED], address, origin(), after=0)


async def test_moderation_conflicts_with_a_change_of_the_campaign(
    log: EventLog, address: Address
) -> None:
    seen = (await log.append([PAUSED], address, origin(), after=0)).seqs[0][1]
    await log.append([RESUMED], address, origin(), after=seen)

    with pytest.raises(Conflict):
        await log.append([ModerationApproved(by=BY)], address, origin(), after=seen)


@pytest.mark.parametrize("events", [[PAUSED], [PAUSED, RESUMED]])
async def test_an_append_whose_acknowledgement_was_lost_is_stored_once(
    log: EventLog, address: Address, events: list[Event]
) -> None:
    wish = origin()
    first = await log.append(events, address, wish, after=0)

    again = await log.append(events, address, wish, after=0)

    assert again == first
    assert len(await log.load(address)) == len(events)


async def test_of_many_concurrent_decisions_on_one_history_one_wins(
    log: EventLog, address: Address
) -> None:
    outcomes = await asyncio.gather(
        *(log.append([PAUSED, RESUMED], address, origin(), after=0) for _ in range(8)),
        return_exceptions=True,
    )

    assert sum(isinstance(outcome, Conflict) for outcome in outcomes) == 7
    assert len(await log.load(address)) == 2


async def test_a_long_history_comes_back_whole(log: EventLog, address: Address) -> None:
    after = 0
    for _ in range(3):
        position = await log.append([PAUSED] * 400, address, origin(), after=after)
        after = position.seqs[0][1]

    assert len(await log.load(address)) == 1200


async def test_a_history_that_others_go_on_with_comes_back_whole(
    nc: Client, log: EventLog, address: Address
) -> None:
    other = EventLog(nc)
    first = await log.append([PAUSED, RESUMED], address, origin(), after=0)
    assert await log.load(address) == await other.load(address)

    second = await other.append([PAUSED], address, origin(), after=first.seqs[0][1])
    assert await log.load(address) == await EventLog(nc).load(address)

    await log.append([RESUMED, PAUSED], address, origin(), after=second.seqs[0][1])
    assert await log.load(address) == await other.load(address) == await EventLog(nc).load(address)


async def test_what_the_log_has_lost_is_not_remembered(log: EventLog, address: Address) -> None:
    """As when it is put back from an older backup while the process lives on."""
    await log.append([PAUSED], address, origin(), after=0)
    history = await log.load(address)
    lost = history[0]._replace(event=RESUMED, seq=history[0].seq + 1)
    log._histories.remember(address, [*history, lost])

    assert await log.load(address) == history


async def test_a_history_that_was_handed_out_is_the_callers_own(
    log: EventLog, address: Address
) -> None:
    await log.append([PAUSED], address, origin(), after=0)
    (await log.load(address)).clear()
    assert len(await log.load(address)) == 1


async def test_a_fact_with_the_same_id_is_stored_once(log: EventLog, address: Address) -> None:
    fact = Fact(SendingFinished(), address, new_id())

    assert await log.append_fact(fact, origin()) == await log.append_fact(fact, origin())


async def test_a_fact_that_expects_an_older_subject_conflicts(
    log: EventLog, address: Address
) -> None:
    seq = await log.append_fact(Fact(SendingFinished(), address, new_id(), after=0), origin())
    await log.append_fact(Fact(SendingFinished(), address, new_id(), after=seq), origin())

    with pytest.raises(Conflict):
        await log.append_fact(Fact(SendingFinished(), address, new_id(), after=seq), origin())


async def test_a_follower_sees_every_entry_once_and_in_order_over_a_lost_consumer(
    nc: Client, log: EventLog, address: Address
) -> None:
    text = SmsSettings(name="n", text="t", sender_id="s", link_id="l")
    start = await log.last_seq("CAMPAIGNS")
    after = 0
    follower = Follower(nc, "CAMPAIGNS", after=start, batch=100)
    seen: list[Event] = []
    for turn in range(4):
        edits = [
            CampaignEdited(settings=text.model_copy(update={"name": f"{turn}/{n}"}), by=BY)
            for n in range(300)
        ]
        after = (await log.append(edits, address, origin(), after=after)).seqs[0][1]
        while len(seen) < 300 * (turn + 1):
            seen += [recorded.event for recorded in await follower.fetch()]
        if turn == 1:
            consumer = follower._consumer
            assert consumer is not None
            await nc.jetstream().delete_consumer("CAMPAIGNS", consumer)
    await follower.close()

    assert [event.settings.name for event in seen if isinstance(event, CampaignEdited)] == [
        f"{turn}/{n}" for turn in range(4) for n in range(300)
    ]


@pytest.mark.parametrize("id_", ["two words", " a", "x\r\nNats-Rollup: all", "x\nA: b", "é\u2028"])
async def test_no_id_makes_another_header(
    nc: Client, log: EventLog, address: Address, id_: str
) -> None:
    seq = await log.append_fact(Fact(PAUSED, address, id_), origin())

    entry = await nc.jetstream().get_msg("CAMPAIGNS", seq)
    assert set(entry.headers or {}) == {"Nats-Msg-Id"}
