"""Contacts that a campaign must not reach any more, decided: the same for both channels."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from itertools import batched

from campaign.commands import Exclude
from campaign_events.decider import Refused
from campaign_events.voice import ContactsExcluded

AT_ONCE = 500
"""Contacts that one event names at most."""


def exclude(
    command: Exclude, audience: str | None, excluded: AbstractSet[int]
) -> Sequence[ContactsExcluded]:
    """Exclude those that are not excluded yet, all in one decision.

    Raises:
        Refused: the numbers are of an audience that is not the campaign's.

    """
    if command.audience != audience:
        raise Refused("the contacts have been replaced by another upload", code="conflict")
    fresh = sorted(set(command.numbers) - excluded)
    return [
        ContactsExcluded(
            numbers=numbers,
            excluded=len(excluded) + place * AT_ONCE + len(numbers),
            by=command.by,
        )
        for place, numbers in enumerate(batched(fresh, AT_ONCE))
    ]
