"""Messages between the carrier's door and their end, found by carrier id or by what they say.

What the views do not hold yet is held here, and nothing that they do not hold is ever let go: an
entry may leave memory once the view has come past the last fact about it. So memory depends on
how far the view lags, not on how many messages wait for their reports.
"""

import zlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal, Protocol

from campaign_events.projection import Document, View
from dispatcher.blocks import IN_UTC, messages_called
from dispatcher.links.link import Part

KEPT = 50_000

type Fate = Literal["submitting", "submitted", "delivered", "failed", "unknown"]


@dataclass(slots=True)
class Message:
    """One message with the carrier; `ends` holds what was reported of its parts."""

    campaign: str
    workspace: str
    number: int
    parts: int
    fate: Fate = "submitting"
    tries: int = 0
    since: datetime | None = None
    """When the carrier first refused it for a reason that may pass."""
    submits: tuple[Part, ...] = ()
    carrier_ids: dict[int, str] = field(default_factory=dict)
    given_ids: dict[int, str] = field(default_factory=dict)
    """The same as the carrier wrote them."""
    errors: dict[int, tuple[str, str]] = field(default_factory=dict)
    """Refused parts: (verdict, error)."""
    ends: dict[int, str | None] = field(default_factory=dict)
    """Reported parts: None is delivered, else the error."""
    heard: dict[int, str | None] = field(default_factory=dict)
    """Parts reported while nobody can tell about the others."""
    phone: str = ""
    phone_hash: str = ""
    source: str = ""
    """Whom it came from, as carriers write it."""
    ends_at: datetime | None = None
    """When its campaign ends."""
    taken_at: float = 0.0
    """When it left its queue, on the monotonic clock; 0 when that was another process."""
    submitted_at: datetime | None = None
    """When the carrier had all parts."""
    written: bool = False
    """Whether any part of it was given to the link."""
    seq: int = 0
    """The log's place of the last fact about it; 0 while its submission is not durable."""

    @property
    def key(self) -> tuple[str, int]:
        """What names it among all messages."""
        return (self.campaign, self.number)

    @property
    def ids(self) -> tuple[str, ...]:
        """The carrier's ids as it wrote them, part by part; empty for a part that has none."""
        folded, given = self.carrier_ids, self.given_ids
        return tuple(given.get(part) or folded.get(part, "") for part in range(self.parts))

    @property
    def digits(self) -> str:
        """The number that it went to, as carriers write it."""
        return self.phone.lstrip("+")


class Teller(Protocol):
    """Says what messages are, from their documents."""

    def __call__(self, rows: Sequence[Document], *, with_phones: bool) -> Awaitable[list[Message]]:
        """Return the messages, on demand with the phones that they went to."""
        ...


def reference(campaign: str, number: int, part: int) -> int:
    """Return the 16-bit `user_message_reference` (SMPP 3.4, 5.3.2.17) of one part."""
    return zlib.crc32(f"{campaign}/{number}/{part}".encode()) & 0xFFFF


class InFlight:
    """The messages of one link by carrier id: recent ones in memory, all of them in the view."""

    def __init__(
        self,
        link: str,
        view: View,
        folded_to: Callable[[], int],
        tell: Teller,
    ) -> None:
        self._link = link
        self._view = view
        self._folded_to = folded_to
        self._tell = tell
        self._by_id: OrderedDict[str, tuple[Message, int]] = OrderedDict()

    def know(self, message: Message, part: int, carrier_id: str) -> None:
        """Remember under which id the carrier keeps a part."""
        message.carrier_ids[part] = carrier_id
        self._by_id[carrier_id] = (message, part)

    def forget(self, message: Message) -> None:
        """Know a message by no id any more: it goes to the carrier anew, under others."""
        for name in message.carrier_ids.values():
            known = self._by_id.get(name)
            if known is not None and known[0] is message:
                del self._by_id[name]

    def let_go(self) -> None:
        """Let go of the oldest beyond `KEPT` about which the view holds every fact."""
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
        What is found by another reading has its phone, so that it can be compared.
        """
        known = self._by_id
        found = {name: known[name] for name in (*carrier_ids, *readings) if name in known}
        missing = [name for name in carrier_ids if name and name not in found]
        if missing:
            found |= await self._load(missing, with_phones=False)
            guesses = [name for name in readings if name and name not in found]
            if guesses and any(name not in found for name in missing):
                found |= await self._load(guesses, with_phones=True)
        return found

    async def _load(
        self, carrier_ids: Sequence[str], *, with_phones: bool
    ) -> dict[str, tuple[Message, int]]:
        """Return what the view knows of these ids; of two messages with one id, the later one."""
        wanted = {"carrier_ids": {"$in": list(set(carrier_ids))}}
        blocks = await self._view["blocks"].with_options(IN_UTC).find(wanted).to_list()
        rows = [row for row in messages_called(blocks, carrier_ids) if row["link"] == self._link]
        for row in rows:
            row["submitted_at"] = row["submitted_at"].replace(tzinfo=UTC)
        rows.sort(key=lambda row: row["submitted_at"])
        found: dict[str, tuple[Message, int]] = {}
        for told in await self._tell(rows, with_phones=with_phones) if rows else ():
            message = self._known(told)
            for part, name in told.carrier_ids.items():
                found[name] = self._by_id.setdefault(name, (message, part))
        return found

    def _known(self, told: Message) -> Message:
        """Return a message as it is known by another of its ids: its parts end in one place."""
        known = (self._by_id.get(name) for name in told.carrier_ids.values())
        return next((one for one, _ in filter(None, known) if one.key == told.key), told)


def stored(row: Document, workspace: str, phone: str = "") -> Message:
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
        submitted_at=row.get("submitted_at"),
        phone=phone,
        seq=1,
    )


def ends_of(row: Document) -> dict[int, str | None]:
    """Return what the view knows of a message's reported parts."""
    return {
        int(part): None if end == "delivered" else end for part, end in row.get("ends", {}).items()
    }
