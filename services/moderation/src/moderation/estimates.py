"""What a campaign would cost, and how it would read: a look at its first contacts."""

import itertools
from collections import OrderedDict, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pymongo.asynchronous.collection import AsyncCollection

from campaign_events.erasing import Counts, Erasure
from campaign_events.projection import Document
from campaign_events.text import MAX_CHARACTERS, render, segmentation, variables

LOOKED_AT = 200
AT_ONCE = 25
REMEMBERED = 1000
NOT_REACHED = ("suppressed", "excluded", "erased")

type Key = tuple[str, str]
"""An audience and a text: what was found changes only when somebody is erased."""


@dataclass(frozen=True, slots=True)
class Glimpse:
    """What the first contacts tell: segments per contact, and the first one's text.

    Without anybody to write to, as in mode `trigger`, the sample is the text as it was written.
    """

    segments: float
    sample: str


@dataclass(slots=True)
class Estimates:
    """Looks at contacts through the grant to read them; remembers the last thousand findings."""

    contacts: AsyncCollection[Document]
    _known: OrderedDict[Key, Glimpse] = field(default_factory=OrderedDict)

    async def of(self, rows: Sequence[Document]) -> dict[str, Glimpse]:
        """Return a glimpse for each row of the queue, by campaign id."""
        keys = {row["_id"]: (row.get("audience") or "", row["text"]) for row in rows}
        unknown = dict.fromkeys(key for key in keys.values() if key not in self._known)
        found = {key: known for key in keys.values() if (known := self._known.get(key))}
        for some in itertools.batched(unknown, AT_ONCE):
            found |= await self._look(some)
        self._remember(found)
        return {campaign_id: found[key] for campaign_id, key in keys.items()}

    async def erase(self, _: Erasure) -> Counts:
        """Nothing is stored here."""
        return {}

    async def forget(self, _: Erasure) -> None:
        """Look again: a sample may have been made of the person's variables."""
        self._known.clear()

    async def _look(self, keys: Iterable[Key]) -> dict[Key, Glimpse]:
        audiences = {audience for audience, text in keys if audience and variables(text)}
        people: defaultdict[str, list[Mapping[str, str]]] = defaultdict(list)
        if audiences:
            chosen = {"audience": {"$in": sorted(audiences)}, "number": {"$lte": LOOKED_AT}}
            wanted = dict.fromkeys(("audience", "variables", *NOT_REACHED), 1)
            async for contact in self.contacts.find(chosen, wanted).sort(
                [("audience", 1), ("number", 1)]
            ):
                if not any(contact.get(name) for name in NOT_REACHED):
                    people[contact["audience"]].append(contact.get("variables") or {})
        return {key: glimpse(key[1], people[key[0]]) for key in keys}

    def _remember(self, found: Mapping[Key, Glimpse]) -> None:
        self._known |= found
        while len(self._known) > REMEMBERED:
            self._known.popitem(last=False)


def glimpse(text: str, people: Sequence[Mapping[str, Any]]) -> Glimpse:
    """Return what these people would get; who gets nothing costs nothing."""
    if not variables(text):
        return Glimpse(segmentation(text).segments, text)
    texts = [rendered for values in people if (rendered := _rendered(text, values)) is not None]
    if not texts:
        return Glimpse(0, text)
    total = sum(segmentation(rendered).segments for rendered in texts)
    return Glimpse(total / len(people), texts[0])


def _rendered(text: str, values: Mapping[str, Any]) -> str | None:
    """Return what somebody would get; None when that is nothing."""
    try:
        rendered = render(text, values)
    except KeyError:
        return None
    return rendered if 1 <= len(rendered) <= MAX_CHARACTERS else None
