"""What people write back: stop words opt them out, anything else is only counted.

The texts go no further than this module: they are not logged, not stored, not in the event log.
"""

import asyncio
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence

import structlog
from prometheus_client import Counter

from campaign_events.campaign import WorkspaceSettings
from campaign_events.eventlog import Rejected, Unavailable
from campaign_events.message import BATCH
from campaign_events.uploads.phones import PhoneReader, Unusable
from dispatcher.addressees import Addressees
from dispatcher.links.link import Inbound
from dispatcher.suppressions import Suppressions

INBOUND = Counter(
    "carillon_link_inbound_messages", "Messages that people sent", ["link", "meaning"]
)
AGAIN_S = 0.5
REASON = "answered with a stop word"
AROUND = " \t\r\n\f\v\u00a0\ufeff\u200b.,!\"'"
"""What may stand around a stop word without changing it."""

log = structlog.get_logger(__name__)


def word(text: str) -> str:
    """Return a text as it is compared with stop words."""
    return unicodedata.normalize("NFKC", text).strip(AROUND).casefold()


def stops(text: str, settings: WorkspaceSettings) -> bool:
    """Tell whether a whole message is one of a workspace's stop words."""
    said = word(text)
    return bool(said) and said in {word(one) for one in settings.stop_words}


class OptOuts:
    """Puts people on the opt-out lists of those whom they told to stop."""

    def __init__(self, suppressions: Suppressions, addressees: Addressees) -> None:
        self._suppressions = suppressions
        self._addressees = addressees

    async def heard(self, link: str, messages: Sequence[Inbound]) -> None:
        """Take note of inbound messages; when this returns they may be acknowledged."""
        if not messages:
            return
        whole = [message for message in messages if message.part is None]
        addressed = await self._addressed(link, whole)
        names = {name for names in addressed.values() for name in names}
        settings = await self._addressees.settings_of(sorted(names))
        stopped: defaultdict[str, set[str]] = defaultdict(set)
        heeded = 0
        for message in whole:
            among = addressed.get(message.destination, set())
            asked = [name for name in among if stops(message.text, settings[name])]
            heeded += bool(asked)
            for name in asked:
                stopped[name] |= _phone(message, settings[name].default_region)
        for name, phones in stopped.items():
            await self._put(name, sorted(phones))
        INBOUND.labels(link, "stop").inc(heeded)
        INBOUND.labels(link, "other").inc(len(messages) - heeded)

    async def _addressed(self, link: str, messages: Iterable[Inbound]) -> dict[str, set[str]]:
        """Return, by the address written to, which workspaces that is."""
        addresses = sorted({message.destination for message in messages})
        found = await self._addressees.by_address(addresses)
        if len(found) < len(addresses):
            using = await self._addressees.by_link(link)
            found |= {address: using for address in addresses if address not in found}
        return found

    async def _put(self, workspace: str, phones: Sequence[str]) -> None:
        """Put phones on a list, however long the log takes: what was asked for must hold."""
        while phones:
            some = phones[:BATCH]
            try:
                await self._suppressions.put(workspace, some, reason=REASON, source="stop")
            except (Unavailable, Rejected) as error:
                log.warning("the log takes nothing, an opt-out waits", why=str(error))
                await asyncio.sleep(AGAIN_S)
            else:
                phones = phones[BATCH:]


def _phone(message: Inbound, default_region: str | None) -> set[str]:
    """Return who wrote, in E.164; nobody when that is no phone number."""
    for text, region in ((f"+{message.source}", None), (message.source, default_region)):
        try:
            return {PhoneReader(region).read(text)}
        except Unusable:
            continue
    log.warning("an opt-out of nobody", why="the source address is no phone number")
    return set()
