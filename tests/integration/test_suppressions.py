"""The opt-out list over HTTP, without sending."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from nats.aio.client import Client

from campaign_events.campaign import (
    CampaignCreated,
    SettingsChanged,
    SmsSettings,
    WorkspaceSettings,
)
from campaign_events.envelope import Actor, Address, Origin, new_id
from campaign_events.eventlog import EventLog, Fact, Rejected, Unavailable
from campaign_events.idempotency import IdempotencyKeys
from campaign_events.projection import Database
from campaign_events.projector import Projector
from campaign_events.sender import Revision, RevisionApproved, RevisionSubmitted
from campaign_events.service import api
from campaign_events.suppression import LIST, phone_hash
from dispatcher.addressees import ADDRESSEES, Addressees
from dispatcher.inbound import OptOuts
from dispatcher.links.link import Inbound, Token
from dispatcher.suppressed import SUPPRESSED
from dispatcher.suppression_files import SuppressionFiles
from dispatcher.suppressions import Suppressions
from dispatcher.suppressions_api import suppression_routes
from doors import Issuer, at_work, resources

SUPPRESSIONS = "/api/v1/suppressions"
BY = Actor(id="ada", name="Ada")
SECRET = b"key"
LIMIT = 400_000


@dataclass
class OptingOut:
    """The opt-out list of a new workspace, as the dispatcher serves it."""

    app: Any
    issuer: Issuer
    workspace: str
    log: EventLog
    suppressions: Suppressions
    addressees: Addressees
    addressed: Projector

    def speak(self, *roles: str, workspace: str | None = None) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app, raise_app_exceptions=False),
            base_url="http://dispatcher",
            headers=self.issuer.bearer(workspace or self.workspace, *roles),
        )

    async def facts(self) -> list[Any]:
        subject = f"suppression.{self.workspace}.{LIST}.>"
        return [entry.event for entry in await self.log.load_subject("MESSAGES", subject)]

    async def settled(self) -> None:
        """Wait until the list shows what the log says of it."""
        subject = f"suppression.{self.workspace}.{LIST}.>"
        facts = await self.log.load_subject("MESSAGES", subject)
        await self.suppressions.shown(facts[-1].seq)

    async def say(self, event: Any, thing: str, workspace: str | None = None) -> None:
        """Another service states a fact; the dispatcher has heard it."""
        fact = Fact(event, Address(workspace or self.workspace, thing), new_id())
        seq = await self.log.append_fact(fact, Origin(fact.id, datetime.now(UTC), "test"))
        assert await self.addressed.reached(seq, 10)


@pytest.fixture
async def stage(
    nc: Client, db: Database, workspace: str, tmp_path: Path
) -> AsyncIterator[OptingOut]:
    issuer = Issuer.make(tmp_path)
    owned = resources("dispatcher", issuer, nc, db)
    app = api("dispatcher", owned)
    listed = Projector(SUPPRESSED, nc, db)
    addressed = Projector(ADDRESSEES, nc, db)
    suppressions = Suppressions(owned.log, db, SECRET, listed)
    await suppressions.prepare()
    files, addressees = SuppressionFiles(suppressions, db), Addressees(addressed.view)
    await files.prepare()
    keys = IdempotencyKeys(db)
    await keys.prepare()
    keys.serve(app)
    app.include_router(suppression_routes(suppressions, files, addressees, LIMIT))
    app.state.projectors = []
    work = {"listed": listed.run(), "opt-outs": suppressions.run(), "addressed": addressed.run()}
    async with at_work(work):
        assert await addressed.reached(await owned.log.last_seq("CAMPAIGNS"), 20)
        yield OptingOut(app, issuer, workspace, owned.log, suppressions, addressees, addressed)


@pytest.fixture
async def admin(stage: OptingOut) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody who may change the list."""
    async with stage.speak("admin") as client:
        yield client


async def added(admin: httpx.AsyncClient, phone: str, reason: str = "asked") -> dict[str, Any]:
    answer = await admin.post(SUPPRESSIONS, json={"phone": phone, "reason": reason})
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def everybody(client: httpx.AsyncClient) -> list[dict[str, Any]]:
    answer = await client.get(SUPPRESSIONS, params={"limit": "1000"})
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def test_who_is_on_the_list_already_stays_as_they_were(
    admin: httpx.AsyncClient, stage: OptingOut
) -> None:
    first = await added(admin, "+447911123456", "asked")
    again = await added(admin, "+44 7911 123456", "asked again")

    assert again == first
    assert first["source"] == "api"
    assert (await admin.get(SUPPRESSIONS)).json() == {"items": [first], "next_cursor": None}
    assert len(await stage.facts()) == 1


async def test_the_same_phone_added_many_times_at_once_gives_one_entry(
    admin: httpx.AsyncClient,
) -> None:
    made = await asyncio.gather(*(added(admin, "+447911123456", f"{n}") for n in range(8)))

    assert all(entry == made[0] for entry in made)
    assert await everybody(admin) == [made[0]]


async def test_an_entry_is_taken_off_and_can_be_put_on_anew(
    admin: httpx.AsyncClient, stage: OptingOut, db: Database
) -> None:
    entry = await added(admin, "+447911123456")
    other = await added(admin, "+447911123457")
    async with stage.speak("admin", workspace="elsewhere") as foreigner:
        answer = await foreigner.delete(f"{SUPPRESSIONS}/{entry['id']}")
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")

    gone = await admin.delete(f"{SUPPRESSIONS}/{entry['id']}")
    assert gone.status_code == 204
    assert gone.headers["Event-Position"].startswith("m")
    assert await everybody(admin) == [other]
    assert await stage.suppressions.among(stage.workspace, ["+447911123456"]) == set()
    assert not stage.suppressions.is_fresh(entry["id"])
    assert await db["suppressions"].count_documents({"_id": entry["id"]}) == 0
    assert (await admin.delete(f"{SUPPRESSIONS}/{entry['id']}")).status_code == 404

    anew = await added(admin, "+447911123456", "again")
    assert (anew["id"], anew["reason"]) == (entry["id"], "again")
    assert stage.suppressions.is_fresh(entry["id"])


async def test_list_log_and_memory_agree_whatever_is_added_and_removed_at_once(
    admin: httpx.AsyncClient, stage: OptingOut
) -> None:
    phone, hashed = "+447911123456", phone_hash(SECRET, stage.workspace, "+447911123456")

    async def add() -> None:
        await added(admin, phone)

    async def remove() -> None:
        assert (await admin.delete(f"{SUPPRESSIONS}/{hashed}")).status_code in (204, 404)

    for _ in range(6):
        await asyncio.gather(add(), remove(), add(), remove(), remove())
        facts = await stage.facts()
        listed = facts[-1].type == "suppression.added"
        entries = await everybody(admin)
        assert [entry["phone"] for entry in entries] == ([phone] if listed else [])
        assert stage.suppressions.is_fresh(hashed) == listed
        assert await stage.suppressions.among(stage.workspace, [phone]) == (
            {phone} if listed else set()
        )


async def test_viewers_see_masked_phones_and_change_nothing(
    admin: httpx.AsyncClient, stage: OptingOut
) -> None:
    entry = await added(admin, "+447911123456")
    async with stage.speak("viewer") as viewer:
        assert await everybody(viewer) == [entry | {"phone": "+44********56"}]
        for answer in (
            await viewer.post(SUPPRESSIONS, json={"phone": "+447911123457"}),
            await viewer.put(SUPPRESSIONS, content=b"+44", headers={"Content-Type": "text/plain"}),
            await viewer.delete(f"{SUPPRESSIONS}/{entry['id']}"),
        ):
            assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    async with stage.speak("author") as author:
        assert await everybody(author) == [entry]


async def test_entries_of_one_moment_come_on_pages_without_gaps(
    admin: httpx.AsyncClient, db: Database
) -> None:
    made = {(await added(admin, f"+4479111234{number}"))["id"] for number in range(10, 30)}
    view = db[SUPPRESSED.collection("suppressed")]
    await view.update_many({}, {"$set": {"created_at": datetime.now(UTC)}})

    seen: list[str] = []
    asked = {"limit": "7"}
    while True:
        page = (await admin.get(SUPPRESSIONS, params=asked)).json()
        seen += [entry["id"] for entry in page["items"]]
        if page["next_cursor"] is None:
            break
        asked["cursor"] = page["next_cursor"]

    assert len(seen) == len(made)
    assert set(seen) == made


@pytest.mark.parametrize("cursor", ["", "0", "x-y", "-", "1-", "99999999999999999999-a", "²-a"])
async def test_a_cursor_that_no_list_gave_is_invalid(admin: httpx.AsyncClient, cursor: str) -> None:
    answer = await admin.get(SUPPRESSIONS, params={"cursor": cursor})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")


@pytest.mark.parametrize("phone", ["", "07911 123456", "hello", "+1", "+041212345678"])
async def test_what_is_no_international_number_is_invalid(
    admin: httpx.AsyncClient, phone: str
) -> None:
    answer = await admin.post(SUPPRESSIONS, json={"phone": phone})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert "phone" in answer.json()["detail"]


async def test_national_numbers_are_of_the_workspaces_region(
    admin: httpx.AsyncClient, stage: OptingOut
) -> None:
    chosen = WorkspaceSettings(default_region="GB")
    await stage.say(SettingsChanged(settings=chosen, by=BY), "settings")

    assert (await added(admin, "07911 123456"))["phone"] == "+447911123456"
    answer = await uploaded(admin, b"07911123457\n", "text/plain")
    assert answer.json()["accepted"] == 1


async def uploaded(client: httpx.AsyncClient, content: bytes, media: str) -> httpx.Response:
    return await client.put(SUPPRESSIONS, content=content, headers={"Content-Type": media})


async def test_a_file_adds_to_the_list_and_its_rows_are_counted(
    admin: httpx.AsyncClient, stage: OptingOut, db: Database
) -> None:
    before = await added(admin, "+447911123456")
    file = (
        "name;Phone\n"
        "Ann;+447911123456\n"  # on the list already
        "Bob;'+447911123457\n"
        "\n"
        "Bob;+44 7911 123457\n"  # line 5
        "Eve;nonsense\n"
        "Ann;+447911123456\n"  # line 7: again
        "Zoe;+447911123458\n"
    )
    answer = await uploaded(admin, file.encode("utf-8-sig"), "text/csv")

    assert answer.status_code == 200, answer.text
    assert answer.json() == {
        "accepted": 2,
        "invalid": 1,
        "duplicate": 2,
        "suppressed": 1,
        "bad_rows": [{"line": 6, "reason": "not a phone number"}],
    }
    assert answer.headers["Event-Position"].startswith("m")
    entries = {entry["phone"]: entry for entry in await everybody(admin)}
    assert entries.keys() == {"+447911123456", "+447911123457", "+447911123458"}
    assert entries["+447911123456"] == before
    assert entries["+447911123457"]["source"] == "upload"
    assert stage.suppressions.is_fresh(entries["+447911123458"]["id"])
    assert await db["suppression_uploads"].count_documents({}) == 0

    again = await uploaded(admin, file.encode(), "text/csv")
    assert again.json() | {"bad_rows": []} == {
        "accepted": 0,
        "invalid": 1,
        "duplicate": 2,
        "suppressed": 3,
        "bad_rows": [],
    }


async def test_a_form_and_many_numbers_are_taken_too(
    admin: httpx.AsyncClient, stage: OptingOut
) -> None:
    numbers = [f"+4915112{number:06d}" for number in range(5000)]
    content = "\n".join(numbers + numbers[:100]).encode()
    answer = await admin.put(SUPPRESSIONS, files={"file": ("out.txt", content, "text/plain")})

    assert answer.status_code == 200, answer.text
    assert (answer.json()["accepted"], answer.json()["duplicate"]) == (5000, 100)
    facts = await stage.facts()
    assert sum(len(fact.hashes) for fact in facts) == 5000
    assert max(len(fact.hashes) for fact in facts) <= 500
    assert not any(number in repr(fact) for fact in facts for number in numbers[:3])
    assert await stage.suppressions.among(stage.workspace, numbers) == set(numbers)


@pytest.mark.parametrize(
    ("content", "media", "refusal"),
    [
        (b"+447911123456\n\xff\xfe\n", "text/plain", (422, "invalid")),
        (b"phone\n+447911123456\n" + b'"never closed', "text/csv", (422, "invalid")),
        (b"", "text/plain", (422, "invalid")),
        (b"phone\n", "text/csv", (422, "invalid")),
        (b"{}", "application/json", (415, "invalid")),
        (b"+447911123456\n" + b"x\n" * LIMIT, "text/plain", (413, "too_large")),
    ],
)
async def test_a_file_that_is_refused_changes_nothing(
    admin: httpx.AsyncClient, db: Database, content: bytes, media: str, refusal: tuple[int, str]
) -> None:
    answer = await uploaded(admin, content, media)

    assert (answer.status_code, answer.json()["code"]) == refusal
    assert await everybody(admin) == []
    assert await db["suppression_uploads"].count_documents({}) == 0
    assert await db["suppressions"].count_documents({}) == 0


async def test_two_files_with_the_same_numbers_at_once_give_one_entry_each(
    admin: httpx.AsyncClient,
) -> None:
    content = "\n".join(f"+4915112{number:06d}" for number in range(800)).encode()
    answers = await asyncio.gather(*(uploaded(admin, content, "text/plain") for _ in range(3)))

    for answer in answers:
        counts = answer.json()
        assert counts["accepted"] + counts["suppressed"] == 800
    assert len(await everybody(admin)) == 800


async def test_what_has_left_memory_is_looked_up_again(
    admin: httpx.AsyncClient, stage: OptingOut, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dispatcher.suppressions.FRESH_KEPT", 5)
    first = await added(admin, "+447911123456")
    before = stage.suppressions.forgotten
    content = "\n".join(f"+4915112{number:06d}" for number in range(20)).encode()
    await uploaded(admin, content, "text/plain")

    assert stage.suppressions.forgotten > before
    assert not stage.suppressions.is_fresh(first["id"])
    await stage.suppressions.look_up([first["id"], "unknown"])
    assert stage.suppressions.is_fresh(first["id"])
    assert not stage.suppressions.is_fresh("unknown")
    await admin.delete(f"{SUPPRESSIONS}/{first['id']}")
    assert not stage.suppressions.is_fresh(first["id"])


class Nobody:
    """A session that need not acknowledge anything."""

    def acknowledge(self, sequence: int) -> None:
        raise AssertionError(f"{sequence} is not for the opt-out list to acknowledge")


def inbound(text: str, to: str, by: str = "447911123456", **other: Any) -> Inbound:
    now = datetime.now(UTC)
    return Inbound(by, to, text, at=now, token=Token(Nobody(), 1), **other)


@dataclass
class Talk:
    """Somebody writes back over a link of this test's own."""

    stage: OptingOut
    link: str

    async def hear(self, *messages: Inbound) -> None:
        await OptOuts(self.stage.suppressions, self.stage.addressees).heard(self.link, messages)

    async def listed(self, *workspaces: str) -> list[set[str]]:
        among = self.stage.suppressions.among
        return [await among(one, ["+447911123456"]) for one in workspaces]

    async def uses_link(self, workspace: str) -> None:
        settings = SmsSettings(name="c", text="Hi", sender_id="s", link_id=self.link)
        await self.stage.say(CampaignCreated(settings=settings, author=BY), new_id(), workspace)

    async def sender(self, workspace: str, *saddrs: str, approved: int = 0) -> None:
        """A sender with these revisions, of which the first few are approved."""
        sender = new_id()
        for number, saddr in enumerate(saddrs, 1):
            revision = Revision(number=number, saddr=saddr, ston=5, snpi=0)
            await self.stage.say(RevisionSubmitted(revision=revision, by=BY), sender, workspace)
        for number in range(1, approved + 1):
            await self.stage.say(RevisionApproved(number=number, by=BY), sender, workspace)


@pytest.fixture
def talk(stage: OptingOut) -> Talk:
    return Talk(stage, f"l{new_id()[-12:]}")


async def test_stop_is_for_the_workspace_whose_sender_was_addressed(
    stage: OptingOut, talk: Talk
) -> None:
    mine, other, phone = stage.workspace, f"x{new_id()[-12:]}", {"+447911123456"}
    await talk.uses_link(mine)
    await talk.uses_link(other)
    await talk.sender(mine, f"Old{talk.link}", f"New{talk.link}", f"Asked{talk.link}", approved=2)

    await talk.hear(inbound("Stop ", f"OLD{talk.link}"))
    assert await talk.listed(mine, other) == [phone, set()]
    [fact] = await stage.facts()
    assert (fact.source, fact.reason) == ("stop", "answered with a stop word")

    # An address that nobody has approved is nobody's: everybody who uses the link is meant.
    await talk.hear(inbound("STOP", f"Asked{talk.link}"))
    assert await talk.listed(mine, other, "elsewhere") == [phone, phone, set()]
    assert len(await stage.facts()) == 1


async def test_each_workspace_has_stop_words_of_its_own(stage: OptingOut, talk: Talk) -> None:
    mine, other, phone = stage.workspace, f"x{new_id()[-12:]}", {"+447911123456"}
    await talk.uses_link(mine)
    await talk.uses_link(other)
    chosen = WorkspaceSettings(stop_words=("Genug",))
    await stage.say(SettingsChanged(settings=chosen, by=BY), "settings", other)

    await talk.hear(inbound("stop", "Shop"))
    assert await talk.listed(mine, other) == [phone, set()]
    await talk.hear(inbound("GENUG", "Shop"))
    assert await talk.listed(mine, other) == [phone, phone]


async def test_what_is_no_stop_word_goes_nowhere(stage: OptingOut, talk: Talk) -> None:
    await talk.uses_link(stage.workspace)
    await talk.hear(
        inbound("please don't stop", "Shop"),
        inbound("", "Shop"),
        inbound("STOP", "Shop", part=(7, 2, 1)),
        inbound("STOP", "Shop", by="BANK"),
        inbound("STOP", "Shop", by=""),
    )
    await talk.hear()
    assert await stage.facts() == []
    assert await talk.listed(stage.workspace) == [set()]


async def test_many_people_may_stop_at_once_and_no_text_or_number_is_in_the_log(
    stage: OptingOut, talk: Talk, admin: httpx.AsyncClient
) -> None:
    await talk.uses_link(stage.workspace)
    chosen = WorkspaceSettings(default_region="GB", stop_words=("secret word",))
    await stage.say(SettingsChanged(settings=chosen, by=BY), "settings")
    people = [f"4915112{number:06d}" for number in range(1200)]
    await talk.hear(*(inbound("Secret word", "Shop", by=one) for one in [*people, *people[:9]]))
    await talk.hear(inbound("secret word", "Shop", by="07911123456"))

    facts = await stage.facts()
    assert [len(fact.hashes) for fact in facts] == [500, 500, 200, 1]
    assert "4915112" not in repr(facts)
    assert "secret" not in repr(facts).casefold()
    assert await talk.listed(stage.workspace) == [{"+447911123456"}]
    await stage.settled()
    newest = (await admin.get(SUPPRESSIONS, params={"limit": "1"})).json()["items"][0]
    assert (newest["phone"], newest["source"]) == ("+447911123456", "stop")


async def test_a_stop_waits_for_a_log_that_is_away(
    stage: OptingOut, talk: Talk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await talk.uses_link(stage.workspace)
    append, refusals = EventLog.append_fact, [Unavailable("away"), Rejected("full")]

    async def flaky(log: EventLog, fact: Fact, origin: Origin) -> int:
        if refusals:
            raise refusals.pop()
        return await append(log, fact, origin)

    monkeypatch.setattr(EventLog, "append_fact", flaky)
    await talk.hear(inbound("STOP", "Shop"))
    assert not refusals
    assert await talk.listed(stage.workspace) == [{"+447911123456"}]
