"""Contacts that a campaign must not reach any more, decided: the same for both channels."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from itertools import batched

from campaign.commands import Exclude
from campaign_events.voice import ContactsExcluded

AT_ONCE = 500
"""Contacts that one event names at most."""


def exclude(command: Exclude, excluded: AbstractSet[int]) -> Sequence[ContactsExcluded]:
    """Exclude those that are not excluded yet, all in one decision."""
    fresh = sorted(set(command.numbers) - excluded)
    return [
        ContactsExcluded(
            numbers=numbers,
            excluded=len(excluded) + place * AT_ONCE + len(numbers),
            by=command.by,
        )
        for place, numbers in enumerate(batched(fresh, AT_ONCE))
    ]
