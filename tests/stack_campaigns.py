"""What authors and moderators do over HTTP, step by step."""

import asyncio
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from stacks import PATIENCE_S, Platform, ask, asked

FINAL = ("done", "failed", "cancelled", "expired")
ACTIVE = ("building", "pending", "sending", "paused")
UNDER_WAY = ("queued", "submitting", "submitted")
Json = dict[str, Any]


def phones(count: int, first: int = 0) -> list[str]:
    """Different valid numbers."""
    return [f"+4915112{number:06d}" for number in range(first, first + count)]


def csv_of(numbers: Sequence[str]) -> str:
    rows = (f"{number},N{index}\n" for index, number in enumerate(numbers))
    return "phone,name\n" + "".join(rows)


@dataclass
class Crew:
    """The people of one workspace who bring a campaign about, and see what they have done."""

    workspace: str
    author: httpx.AsyncClient
    moderator: httpx.AsyncClient
    _position: str | None = None

    @classmethod
    def of(
        cls, platform: Platform, workspace: str | None = None, after: str | None = None
    ) -> "Crew":
        """People of a workspace (a new one, if none is named), who see what was before `after`."""
        name = workspace or f"w{uuid.uuid4().hex[:12]}"
        author = platform.client(name, "author", sub="ann")
        return cls(name, author, platform.client(name, "moderator", sub="mo"), after)

    async def close(self) -> None:
        await self.author.aclose()
        await self.moderator.aclose()

    async def sender(self, saddr: str = "Shop") -> str:
        """A sender that a moderator has approved."""
        made = await self.post("/senders", {"name": saddr, "saddr": saddr})
        path = f"/moderation/senders/{made['id']}/revisions/1/approve"
        await ask(self.moderator, "POST", path, json={})
        return str(made["id"])

    async def campaign(self, sender: str, **settings: Any) -> Json:
        """A campaign that waits for contacts."""
        return await self.post("/campaigns", body_of(sender, **settings))

    async def uploaded(self, campaign: str, text: str | bytes, kind: str = "text/csv") -> Json:
        """The report of an upload."""
        path, headers = f"/campaigns/{campaign}/contacts", {"Content-Type": kind}
        return self._done(await asked(self.author, "PUT", path, content=text, headers=headers))

    async def approve(self, campaign: str) -> None:
        headers = {"Idempotency-Key": f"approve {campaign}"}
        path = f"/moderation/campaigns/{campaign}/approve"
        self._done(await asked(self.moderator, "POST", path, json={}, headers=headers))

    async def launched(self, numbers: Sequence[str], **settings: Any) -> str:
        """A campaign to these numbers, approved."""
        made = await self.campaign(await self.sender(), **settings)
        await self.uploaded(made["id"], csv_of(numbers))
        await self.approve(made["id"])
        return str(made["id"])

    async def act(self, campaign: str, action: str) -> Json:
        return await self.post(f"/campaigns/{campaign}/{action}")

    async def post(self, path: str, body: Json | None = None) -> Json:
        headers = {"Idempotency-Key": uuid.uuid4().hex}
        return self._done(await asked(self.author, "POST", path, json=body, headers=headers))

    async def seen(self, path: str, client: httpx.AsyncClient | None = None) -> Any:
        """What the author (or somebody else) reads, everything that was done before included."""
        headers = {"Min-Event-Position": self._position} if self._position else {}
        return await ask(client or self.author, "GET", path, headers=headers)

    def _done(self, answer: httpx.Response) -> Json:
        self._position = answer.headers.get("Event-Position", self._position)
        return dict(answer.json())

    async def until_status(self, campaign: str, *wanted: str, within_s: float = PATIENCE_S) -> Json:
        """Wait until the campaign is seen in one of these statuses.

        Where it is done, every message is seen at its end too: another view, which may come later.
        """
        row: Json = {}
        try:
            async with asyncio.timeout(within_s):
                while row.get("status") not in wanted or _is_behind(row):
                    row = dict(await self.seen(f"/campaigns/{campaign}"))
                    assert row["status"] in (*wanted, "new", *ACTIVE), row
                    await asyncio.sleep(0.1)
        except TimeoutError:
            raise AssertionError(f"not {wanted} within {within_s} s: {row}") from None
        return row


def _is_behind(row: Json) -> bool:
    stats: dict[str, int] = row["stats"]
    return row["status"] == "done" and any(stats[name] for name in UNDER_WAY)


def body_of(sender: str, **settings: Any) -> Json:
    """A campaign as its author asks for it."""
    return {
        "channel": "sms",
        "name": "Spring",
        "text": "Hello {{name}}, we are open.",
        "sender_id": sender,
        "link_id": "sim",
        "mode": "on_demand",
        **settings,
    }
