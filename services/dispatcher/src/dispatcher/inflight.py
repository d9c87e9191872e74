"""Messages between the carrier's door and their end, found by carrier id or by what they say.

What the views do not hold yet is held here, and nothing that they do not hold is ever let go: an
entry may leave memory once the view has come past the last fact about it. So memory depends on
how far the view lags, not on how many messages wait for their reports.
"""

import zlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from pymongo.asynchronous.collection import AsyncCollection

from campaign_events.projection import Document
from dispatcher.links.link import Part

KEPT = 50_000

type Fate = Literal["submitting", "submitted", "delivered", "failed", "unknown"]
type Workspaces = Callable[[Sequence[str]], Awaitable[dict[str, str]]]
"""Which workspaces these campaigns belong to."""


@dataclass(slots=True)
class Message:
    """One message with the carrier; `ends` holds what was reported of its parts."""

    campaign: str
    workspace: str
    number: int
    parts: int
    fate: Fate = "submitting"
    tries: int = 0
    submits: tuple[Part, ...] = ()
    carrier_ids: dict[int, str] = field(default_factory=dict)
    errors: dict[int, tuple[str, str]] = field(default_factory=dict)
    """Refused parts: (verdict, error)."""
    ends: dict[int, str | None] = field(default_factory=dict)
    """Reported parts: None is delivered, else the error."""
    heard: dict[int, str | None] = field(default_factory=dict)
    """Parts reported while nobody can tell about the others."""
    phone: str = ""
    seq: int = 0
    """The log's place of the last fact about it; 0 while its submission is not durable."""

    @property
    def key(self) -> tuple[str, int]:
        """What names it among all messages."""
        return (self.campaign, self.number)

    @property
    def ids(self) -> tuple[str, ...]:
        """The carrier's ids, part by part; empty for a part that has none."""
        return tuple(self.carrier_ids.get(part, "") for part in range(self.parts))


def reference(campaign: str, number: int, part: int) -> int:
    """Return the 16-bit `user_message_reference` (SMPP 3.4, 5.3.2.17) of one part."""
    return zlib.crc32(f"{campaign}/{number}/{part}".encode()) & 0xFFFF


class InFlight:
    """The messages of one link by carrier id: recent ones in memory, all of them in the view."""

    def __init__(
        self,
        link: str,
        messages: AsyncCollection[Document],
        folded_to: Callable[[], int],
        workspaces: Workspaces,
    ) -> None:
        self._link = link
        self._messages = messages
        self._folded_to = folded_to
        self._workspaces = workspaces
        self._by_id: OrderedDict[str, tuple[Message, int]] = OrderedDict()

    def know(self, message: Message, part: int, carrier_id: str) -> None:
        """Remember under which id the carrier keeps a part."""
        message.carrier_ids[part] = carrier_id
        self._by_id[carrier_id] = (message, part)
        while len(self._by_id) > KEPT:
            oldest, _ = next(iter(self._by_id.values()))
            if not 0 < oldest.seq <= self._folded_to():
                return
            self._by_id.popitem(last=False)

    async def find(
        self, carrier_ids: Sequence[str], readings: Sequence[str]
    ) -> dict[str, tuple[Message, int]]:
        """Return the messages behind these ids, with the part that each id stands for.

        The view is asked, also for other `readings` of the ids, when memory does not know one.
        """
        known = self._by_id
        found = {name: known[name] for name in (*carrier_ids, *readings) if name in known}
        if any(name not in found for name in carrier_ids):
            missing = [name for name in (*carrier_ids, *readings) if name and name not in found]
            for message in await self._load(missing):
                for part, name in message.carrier_ids.items():
                    found[name] = self._by_id.setdefault(name, (message, part))
        return found

    async def _load(self, carrier_ids: Sequence[str]) -> list[Message]:
        cursor = self._messages.find(
            {"carrier_ids": {"$in": list(carrier_ids)}, "link": self._link}
        )
        rows = await cursor.to_list()
        workspaces = await self._workspaces([row["campaign"] for row in rows])
        return [stored(row, workspaces[row["campaign"]]) for row in rows]


def stored(row: Document, workspace: str) -> Message:
    """Return a message as the view has it."""
    fate: Fate = "unknown" if row.get("unknown") else row["status"]
    return Message(
        campaign=row["campaign"],
        workspace=workspace,
        number=row["number"],
        parts=len(row.get("carrier_ids", ())) or 1,
        fate=fate,
        carrier_ids={part: name for part, name in enumerate(row.get("carrier_ids", ())) if name},
        ends=ends_of(row),
        seq=1,
    )


def ends_of(row: Document) -> dict[int, str | None]:
    """Return what the view knows of a message's reported parts."""
    return {
        int(part): None if end == "delivered" else end for part, end in row.get("ends", {}).items()
    }
