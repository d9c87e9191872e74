"""A campaign from the shell: sender, campaign, upload, approval, and following it to its end."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import httpx

from carillon.api_client import Person, check_reachable
from carillon.errors import PlainError
from carillon.stack_file import read_stack_file
from carillon.tokens.identity import Identity
from carillon.tokens.issuer import DevelopmentIssuer

CONTENT_TYPES = {".csv": "text/csv", ".txt": "text/plain"}
CHUNK = 256 * 1024
LOOK_EVERY = 0.5
FINAL = frozenset({"done", "failed", "cancelled", "expired"})
LONGEST_SADDR = 11  # characters of an alphanumeric sender


class UnusableFileError(PlainError):
    """The file of numbers cannot be read."""


@dataclass(frozen=True, slots=True)
class Wish:
    """The campaign that is wanted."""

    file: Path
    text: str
    name: str
    sender: str = "Carillon"
    link: str = "sim"
    mode: str = "on_demand"
    starts_at: str | None = None
    workspace: str = "demo"
    region: str | None = None
    approve: bool = False


@dataclass(frozen=True, slots=True)
class UploadReport:
    """What became of the rows of the file."""

    accepted: int
    invalid: int
    duplicate: int
    suppressed: int
    bad_rows: tuple[tuple[int, str], ...]


@dataclass(frozen=True, slots=True)
class Standing:
    """How far the campaign is."""

    status: str
    total: int = 0
    queued: int = 0
    submitting: int = 0
    submitted: int = 0
    delivered: int = 0
    failed: int = 0
    skipped: int = 0
    segments: int = 0

    @classmethod
    def of(cls, campaign: dict[str, Any]) -> "Standing":
        """The standing in a campaign as the API shows it."""
        stats = campaign.get("stats") or {}
        numbers = {name: int(stats.get(name) or 0) for name in COUNTERS}
        return cls(campaign["status"], **numbers)

    @property
    def in_flight(self) -> int:
        """Messages that the dispatcher or the carrier still works on."""
        return self.submitting + self.submitted

    @property
    def is_final(self) -> bool:
        """Whether nothing will happen any more."""
        return self.status in FINAL

    def totals(self) -> str:
        """One line for people and programs."""
        return " ".join([self.status, *(f"{name}={getattr(self, name)}" for name in COUNTERS)])


COUNTERS = (
    *("total", "queued", "submitting", "submitted"),
    *("delivered", "failed", "skipped", "segments"),
)


class Display(Protocol):
    """Where the run is shown."""

    def say(self, line: str) -> None:
        """Show a line that stays."""

    def uploading(self, done: int, size: int) -> None:
        """Show how much of the file has been sent."""

    def uploaded(self, report: UploadReport) -> None:
        """Show what became of the rows."""

    def standing(self, standing: Standing) -> None:
        """Show how far the campaign is."""


async def run_campaign(data: Path, wish: Wish, display: Display) -> Standing:
    """Send the campaign and return its last standing.

    Raises:
        NoStackError: no platform runs on the data folder.
        UnusableFileError: the file of numbers cannot be read.
        ProblemError: the platform refused a step.
        UnreachableError: the platform does not answer.
    """
    content_type = _checked(wish.file)
    stack = read_stack_file(data)
    issuer = DevelopmentIssuer.load(data / "issuer")
    async with httpx.AsyncClient(base_url=stack.url, timeout=30) as http:
        await check_reachable(http)
        author = Person(http, issuer, _identity("author", wish.workspace))
        moderator = Person(http, issuer, _identity("moderator", wish.workspace))
        sender_id = await prepare_sender(wish, author, moderator, display)
        campaign_id = await _create(wish, author, sender_id)
        display.say(f"campaign {campaign_id} created: {wish.name}")
        body = _chunks(wish.file, display.uploading)
        path = f"/campaigns/{campaign_id}/contacts"
        display.uploaded(_report(await author.send(path, content_type, body)))
        if wish.approve:
            moderator.position = author.position
            await moderator.ask("POST", f"/moderation/campaigns/{campaign_id}/approve", {})
            author.position = moderator.position
            display.say(f"approved by {moderator.identity.name}")
        else:
            display.say(_how_to_approve(data, wish, stack.url, campaign_id))
        return await _followed(author, campaign_id, display)


def _checked(file: Path) -> str:
    try:
        with file.open("rb"):
            pass
    except OSError as error:
        raise UnusableFileError(f"{file} cannot be read: {error.strerror}.") from error
    content_type = CONTENT_TYPES.get(file.suffix.lower())
    if content_type is None:
        raise UnusableFileError(
            f"{file} is neither .csv (with a header) nor .txt (one number per line)."
        )
    return content_type


def _identity(role: str, workspace: str) -> Identity:
    return Identity(f"dev-{role}", f"Local {role.capitalize()}", workspace, (role,))


async def prepare_sender(wish: Wish, author: Person, moderator: Person, display: Display) -> str:
    """Return the id of the wanted sender, made and approved as far as that is wanted."""
    sender = await _known_sender(author, wish.sender)
    if sender is None:
        if len(wish.sender) > LONGEST_SADDR and not wish.sender.lstrip("+").isdigit():
            display.say(f"note: carriers take at most {LONGEST_SADDR} letters as a sender")
        wanted = {"name": wish.sender, "saddr": wish.sender, "reason": "carillon campaign run"}
        sender = await author.ask("POST", "/senders", wanted)
        display.say(f"sender {wish.sender} created")
    waiting = [it["number"] for it in sender["revisions"] if it["status"] == "pending_approval"]
    approved = any(it["status"] == "approved" for it in sender["revisions"])
    if not approved and waiting and wish.approve:
        moderator.position = author.position
        path = f"/moderation/senders/{sender['id']}/revisions/{waiting[-1]}/approve"
        await moderator.ask("POST", path, {})
        author.position = moderator.position
        display.say(f"sender {wish.sender} approved by {moderator.identity.name}")
    elif not approved:
        display.say(f"sender {wish.sender} waits for a moderator too")
    return str(sender["id"])


async def _known_sender(author: Person, name: str) -> dict[str, Any] | None:
    cursor: str | None = None
    while True:
        query = httpx.QueryParams({"limit": 1000} | ({"cursor": cursor} if cursor else {}))
        page = await author.ask("GET", f"/senders?{query}")
        for sender in page["items"]:
            if sender["name"] == name and sender["status"] != "archived":
                return dict(sender)
        cursor = page.get("next_cursor")
        if cursor is None:
            return None


async def _create(wish: Wish, author: Person, sender_id: str) -> str:
    body = {
        "channel": "sms",
        "name": wish.name,
        "text": wish.text,
        "sender_id": sender_id,
        "link_id": wish.link,
        "mode": wish.mode,
    }
    optional = {"starts_at": wish.starts_at, "default_region": wish.region}
    body |= {name: value for name, value in optional.items() if value is not None}
    return str((await author.ask("POST", "/campaigns", body))["id"])


async def _chunks(file: Path, sent: Callable[[int, int], None]) -> AsyncIterator[bytes]:
    size = file.stat().st_size
    done = 0
    with file.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            yield chunk
            done += len(chunk)
            sent(done, size)


def _report(answer: dict[str, Any]) -> UploadReport:
    return UploadReport(
        accepted=answer["accepted"],
        invalid=answer["invalid"],
        duplicate=answer["duplicate"],
        suppressed=answer["suppressed"],
        bad_rows=tuple((row["line"], row["reason"]) for row in answer["bad_rows"]),
    )


def _how_to_approve(data: Path, wish: Wish, url: str, campaign_id: str) -> str:
    token = (
        f"carillon token --data {data} --workspace {wish.workspace} "
        "--sub dev-moderator --name Moderator --role moderator"
    )
    return (
        "waiting for a moderator: approve it on the dashboard, or with\n"
        f'  curl -X POST -H "Authorization: Bearer $({token})" '
        f"-H 'Content-Type: application/json' -d '{{}}' "
        f"{url}/api/v1/moderation/campaigns/{campaign_id}/approve"
    )


async def _followed(author: Person, campaign_id: str, display: Display) -> Standing:
    while True:
        standing = Standing.of(await author.ask("GET", f"/campaigns/{campaign_id}"))
        display.standing(standing)
        if standing.is_final:
            return standing
        await asyncio.sleep(LOOK_EVERY)
