"""What is known of a sending: in whatever batches its facts are folded, it says the same."""

from collections.abc import Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as some

from campaign_events.envelope import Event, Events, Recorded
from campaign_events.message import (
    Deferral,
    Failure,
    MessagesDeferred,
    MessagesRefused,
    MessagesSubmitted,
    MessagesTaken,
    PortionOpened,
    Submission,
)
from campaign_events.verifying import seen
from dispatcher.views import fold_messages
from folding import folded, recorded

NUMBERS = some.integers(1, 4)
WHATS = some.sampled_from(("take", "submit", "refuse", "defer", "portion"))


def fact(what: str, number: int) -> Event:
    match what:
        case "take":
            return MessagesTaken(link="l", epoch=1, spans=((number, number),), count=1)
        case "submit":
            return MessagesSubmitted(link="l", messages=(Submission(number, (f"id{number}",)),))
        case "refuse":
            return MessagesRefused(link="l", failures=(Failure(number=number, error="8"),))
        case "defer":
            deferral = Deferral(number=number, error="x", after_s=5, temporary=True)
            return MessagesDeferred(link="l", deferrals=(deferral,))
        case _:
            return PortionOpened(day=number, count=number)


@some.composite
def lives(draw: some.DrawFn) -> tuple[list[Recorded[Any]], list[int]]:
    """Facts in a possible order, and who is with the carrier after them, in the order of taking."""
    facts: list[Event] = []
    taken: list[int] = []
    for what, number in draw(some.lists(some.tuples(WHATS, NUMBERS), max_size=30)):
        if what == "portion" or (what == "take") == (number not in taken):
            facts.append(fact(what, number))
            if what == "take":
                taken.append(number)
            elif what != "portion":
                taken.remove(number)
    return [recorded(seq, "c", one) for seq, one in enumerate(facts, 1)], taken


@given(lives(), some.lists(some.integers(1, 30)))
def test_cutting_the_log_anywhere_gives_the_same_sending(
    life: tuple[list[Recorded[Any]], list[int]], cuts: Sequence[int]
) -> None:
    entries, taken = life
    one_by_one = folded(only_sendings, entries, range(len(entries)))
    view = folded(only_sendings, entries, cuts)
    assert seen(view) == seen(one_by_one)
    assert view.get("sendings", {}).get("c", {}).get("open", []) == taken


def only_sendings(events: Events) -> dict[str, Any]:
    return {"sendings": fold_messages(events)["sendings"]}
