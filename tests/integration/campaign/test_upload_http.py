import asyncio
import gzip
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
from starlette.requests import ClientDisconnect

from campaign_events.campaign import CampaignApproved, ContactsUploaded
from campaign_events.envelope import Actor, Address, Origin, new_id
from campaign_events.eventlog import Fact
from campaign_events.projection import Database
from campaign_events.suppression import LIST, SuppressionsAdded, SuppressionsRemoved, phone_hash
from campaign_team import (
    CAMPAIGNS,
    CSV,
    SECRET,
    UPLOAD_LIMIT,
    Team,
    eventually,
    phone,
    problem,
)

TXT = {"Content-Type": "text/plain"}
GZIPPED = gzip.compress(b"phone\n+447911100001\n", mtime=0)


async def stored(db: Database, audience: str) -> list[dict[str, Any]]:
    return await db.contacts.find({"audience": audience}).sort("number").to_list()


async def current(team: Team, campaign: str) -> ContactsUploaded:
    found = [fact for fact in await team.facts(campaign) if isinstance(fact, ContactsUploaded)]
    return found[-1]


async def test_rows_are_counted_once_and_stored_in_row_order(team: Team, db: Database) -> None:
    campaign = await team.made()
    lines = ["\ufeffname,Phone,city", f'"Ann\r\nLee",{phone(1)},=Bath', "", f"Bo,'{phone(2)},Rome"]
    lines += ["Cy,rubbish,x", f'Di,"=""{phone(3)}""",y', f"Ann,{phone(1)},z", ",,", "Ed,,w"]

    answer = await team.put(campaign, "\r\n".join(lines).encode())

    assert answer.json() == {
        "accepted": 3,
        "invalid": 2,
        "duplicate": 1,
        "suppressed": 0,
        "bad_rows": [
            {"line": 6, "reason": "not a phone number"},
            {"line": 10, "reason": "no phone number"},
        ],
    }
    fact = await current(team, campaign)
    assert answer.headers["Event-Position"].startswith("c")
    assert (fact.accepted, fact.invalid, fact.duplicate, fact.suppressed) == (3, 2, 1, 0)
    assert fact.review == 1
    rows = await stored(db, fact.audience)
    assert [(row["number"], row["phone"], row["variables"]) for row in rows] == [
        (1, phone(1), {"name": "Ann\r\nLee", "city": "Bath"}),
        (2, phone(2), {"name": "Bo", "city": "Rome"}),
        (3, phone(3), {"name": "Di", "city": "y"}),
    ]
    assert rows[0]["_id"] == f"{fact.audience}/{phone(1)}"


async def test_numbers_stay_contiguous_over_many_batches_and_duplicates(
    team: Team, db: Database
) -> None:
    campaign = await team.made()
    numbers = [number % 4500 for number in range(9000)]
    lines = [f"{phone(number)}\n" if number % 100 else "rubbish\n" for number in numbers]

    answer = await team.put(campaign, "".join(lines).encode(), TXT)

    body = answer.json()
    assert (body["accepted"], body["invalid"], body["duplicate"]) == (4455, 90, 4455)
    assert [row["line"] for row in body["bad_rows"]] == [i * 100 + 1 for i in range(20)]
    rows = await stored(db, (await current(team, campaign)).audience)
    assert [row["number"] for row in rows] == list(range(1, 4456))
    assert [row["phone"] for row in rows] == [phone(n) for n in range(4500) if n % 100]


async def test_a_form_holds_the_file_among_other_fields(team: Team) -> None:
    campaign = await team.made()
    async with team.speak("author") as author:
        answer = await author.put(
            f"{CAMPAIGNS}/{campaign}/contacts",
            data={"comment": "x" * 1000},
            files={"file": ("Contacts.TXT", f"{phone(1)}\n{phone(2)}".encode())},
        )
        two = await author.put(
            f"{CAMPAIGNS}/{campaign}/contacts",
            files=[("a", ("a.txt", b"1")), ("b", ("b.txt", b"2"))],
        )
        other = await author.put(
            f"{CAMPAIGNS}/{campaign}/contacts", files={"file": ("a.xlsx", b"PK")}
        )
        none = await author.put(
            f"{CAMPAIGNS}/{campaign}/contacts", files={"comment": (None, b"hello")}
        )

    assert answer.json()["accepted"] == 2
    assert "more than one file" in problem(two, 422, "invalid")
    assert ".csv or a .txt" in problem(other, 422, "invalid")
    assert "no file" in problem(none, 422, "invalid")


async def test_national_numbers_belong_to_the_campaigns_region(team: Team, db: Database) -> None:
    campaign = await team.made(default_region="GB")

    answer = await team.put(campaign, b"phone\n07911 123456\n447911123457\n")

    assert answer.json()["accepted"] == 2
    rows = await stored(db, (await current(team, campaign)).audience)
    assert [row["phone"] for row in rows] == ["+447911123456", "+447911123457"]


@pytest.mark.parametrize(
    ("content", "headers", "status", "code", "word"),
    [
        (b"", CSV, 422, "invalid", "no rows"),
        (b"phone,name\n", CSV, 422, "invalid", "no rows"),
        (b"\n\n", TXT, 422, "invalid", "no rows"),
        (b"\x89PNG\r\n\x1a\n\0\0", CSV, 422, "invalid", "UTF-8"),
        (GZIPPED, CSV, 422, "invalid", "compressed (gzip): unpack it"),
        (GZIPPED, CSV | {"Content-Encoding": "gzip"}, 415, "invalid", "without Content-Encoding"),
        (GZIPPED, {"Content-Type": "application/gzip"}, 415, "invalid", "uncompressed"),
        (b'phone\n"+44', CSV, 422, "invalid", "quoted"),
        (b"x" * (UPLOAD_LIMIT + 1), CSV, 413, "too_large", "bytes"),
        (b"{}", {"Content-Type": "application/json"}, 415, "invalid", "text/csv"),
        (b"--b\r\n", {"Content-Type": "multipart/form-data; boundary=b"}, 422, "invalid", "cut"),
        (b"nonsense", {"Content-Type": "multipart/form-data; boundary=b"}, 422, "invalid", "form"),
        (
            b"--b\r\n",
            {"Content-Type": f"multipart/form-data; boundary={'b' * 5000}"},
            422,
            "invalid",
            "boundary",
        ),
    ],
)
@pytest.mark.usefixtures("staffed")
async def test_a_refused_upload_leaves_the_earlier_audience(  # noqa: PLR0917 - a table of cases
    team: Team,
    db: Database,
    content: bytes,
    headers: dict[str, str],
    status: int,
    code: str,
    word: str,
) -> None:
    campaign = await team.made()
    await team.put(campaign, f"phone\n{phone(1)}\n".encode())
    before = await current(team, campaign)

    answer = await team.put(campaign, content, headers)

    assert word in problem(answer, status, code)
    assert await current(team, campaign) == before
    assert len(await stored(db, before.audience)) == 1

    async def only_that_one_is_left() -> bool:
        left = await db.audiences.find().to_list()
        return [each["_id"] for each in left] == [before.audience] and "sweep_at" not in left[0]

    await eventually(only_that_one_is_left)
    assert await db.contacts.count_documents({}) == 1


async def test_a_body_without_a_length_is_bounded_too(team: Team) -> None:
    campaign = await team.made()

    async def endless() -> AsyncIterator[bytes]:
        yield b"phone\n"
        for number in range(10_000_000):
            yield f"{phone(number % 90000)}\n".encode() * 100

    problem(await team.put(campaign, endless()), 413, "too_large")


@pytest.mark.usefixtures("staffed")
async def test_an_upload_that_breaks_off_changes_nothing(team: Team, db: Database) -> None:
    campaign = await team.made()
    await team.put(campaign, f"phone\n{phone(1)}\n".encode())
    before = await current(team, campaign)

    async def cut_off() -> AsyncIterator[bytes]:
        yield b"phone\n" + b"".join(f"{phone(n)}\n".encode() for n in range(20000))
        await asyncio.sleep(0.05)
        raise ClientDisconnect

    assert "cut off" in problem(await team.put(campaign, cut_off()), 422, "invalid")

    async def swept() -> bool:
        return await db.contacts.count_documents({}) == 1

    await eventually(swept)
    assert await current(team, campaign) == before


@pytest.mark.usefixtures("staffed")
async def test_what_a_crash_left_behind_is_swept(team: Team, db: Database) -> None:
    campaign = await team.made()
    await team.put(campaign, f"phone\n{phone(1)}\n".encode())
    kept = (await current(team, campaign)).audience
    await db.contacts.insert_one({"_id": "lost/1", "audience": "lost", "number": 1})
    await db.audiences.insert_one(
        {
            "_id": "lost",
            "workspace": team.workspace,
            "campaign": campaign,
            "state": "writing",
            "sweep_at": datetime.now(UTC),
        }
    )

    async def swept() -> bool:
        return await db.audiences.distinct("_id") == [kept]

    await eventually(swept)
    assert await db.contacts.distinct("audience") == [kept]


@pytest.mark.usefixtures("staffed")
async def test_a_second_upload_takes_the_place_of_the_first(team: Team, db: Database) -> None:
    campaign = await team.made()
    first = await team.put(campaign, f"phone\n{phone(1)}\n".encode())
    again = await team.put(campaign, f"phone\n{phone(1)}\n".encode())

    assert first.json() == again.json()
    fact = await current(team, campaign)
    assert fact.review == 0

    async def replaced() -> bool:
        return await db.contacts.distinct("audience") == [fact.audience]

    await eventually(replaced)


@pytest.mark.usefixtures("staffed")
async def test_uploads_at_the_same_time_never_mix(team: Team, db: Database) -> None:
    campaign = await team.made()
    files = ["".join(f"{phone(k * 5000 + n)}\n" for n in range(3000)).encode() for k in range(3)]

    answers = await asyncio.gather(*(team.put(campaign, file, TXT) for file in files))

    assert {answer.status_code for answer in answers} <= {200, 409}
    fact = await current(team, campaign)

    async def one_is_left() -> bool:
        return await db.contacts.distinct("audience") == [fact.audience]

    await eventually(one_is_left)
    rows = await stored(db, fact.audience)
    assert len({int(row["phone"][-5:]) // 5000 for row in rows}) == 1
    assert [row["number"] for row in rows] == list(range(1, 3001))


@pytest.mark.usefixtures("staffed")
async def test_suppressed_contacts_are_stored_and_counted_apart(team: Team, db: Database) -> None:
    campaign = await team.made()
    hashes = tuple(phone_hash(SECRET, team.workspace, phone(n)) for n in (1, 2))
    elsewhere = (phone_hash(SECRET, "elsewhere", phone(3)),)
    for event, workspace in (
        (SuppressionsAdded(hashes=hashes), team.workspace),
        (SuppressionsRemoved(hashes=hashes[:1]), team.workspace),
        (SuppressionsAdded(hashes=elsewhere), "elsewhere"),
    ):
        fact = Fact(event, Address(workspace, LIST), new_id())
        await team.log.append_fact(fact, Origin(fact.id, datetime.now(UTC), "test"))

    async def known() -> bool:
        last = f"elsewhere/{elsewhere[0]}"
        return await db["suppressed.r1"].find_one({"_id": last}) is not None

    await eventually(known)
    lines = [phone(1), phone(2), phone(3), phone(2), "x"]

    answer = await team.put(campaign, "\n".join(lines).encode(), TXT)

    body = answer.json()
    assert (body["accepted"], body["suppressed"], body["duplicate"], body["invalid"]) == (
        2,
        1,
        1,
        1,
    )
    rows = await stored(db, (await current(team, campaign)).audience)
    assert [(row["number"], row["suppressed"]) for row in rows] == [
        (1, False),
        (2, True),
        (3, False),
    ]


async def test_an_approved_campaign_takes_no_contacts(team: Team, db: Database) -> None:
    campaign = await team.made()
    await team.say(CampaignApproved(was="new", by=Actor(id="m", name="Mo")), campaign)

    answer = await team.put(campaign, f"phone\n{phone(1)}\n".encode())

    assert problem(answer, 409, "illegal_transition") == (
        "a campaign that is building can not be given contacts."
    )
    assert await db.contacts.count_documents({}) == 0
