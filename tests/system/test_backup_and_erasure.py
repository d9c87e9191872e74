"""Backup, wipe, restore: people see what they saw, and go on. Then one of them is erased."""

import asyncio
import json
import re
import shlex
import shutil
import time
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import nats
import pytest
from pymongo import AsyncMongoClient
from typer.testing import CliRunner

import forked
from carillon.cli import app
from ledgers import differing_views
from log_ends import log_position
from stack_campaigns import Crew, csv_of, phones
from stacks import CARILLON, Link, Platform, ask, plain_environment, platform

pytestmark = [pytest.mark.slow, pytest.mark.timeout(480)]

WORKSPACE = "shop"
OPTED_OUT = "+4915119999999"
SHOWN = ("kpi", "delivery", "funnel", "activity", "top_authors", "recent")


ADA = "+4915118889999"
"""Who is erased."""
ADAS_DIGITS = "15118889999"


async def carillon(*arguments: str) -> tuple[int, str]:
    """Run a command to its end; what it said."""
    code, out, err = await forked.said(*arguments, environment=plain_environment())
    return code, out + err


async def seen(up: Platform) -> dict[str, Any]:
    """What the pages and lists of a workspace say when they know all that is in the log."""
    crew = Crew.of(up, WORKSPACE, after=await log_position(up))
    admin = up.client(WORKSPACE, "admin", sub="root")
    overview = await crew.seen("/overview")
    listed = (await crew.seen("/campaigns"))["items"]
    messages = [
        await crew.seen(f"/campaigns/{row['id']}/messages?limit=1000")
        for row in listed
        if row["channel"] == "sms"
    ]
    found = {
        "overview": {name: overview[name] for name in SHOWN},
        "campaigns": listed,
        "messages": messages,
        "suppressions": await crew.seen("/suppressions", admin),
        "audit": (await crew.seen("/audit?limit=200", admin))["items"],
        "senders": await crew.seen("/senders"),
    }
    await crew.close()
    await admin.aclose()
    return found


async def first_life(up: Platform, backup: Path) -> dict[str, Any]:
    """A few campaigns, an opt-out, and a backup while everything runs."""
    crew = Crew.of(up, WORKSPACE)
    admin = up.client(WORKSPACE, "admin", sub="root")
    await admin.post("/suppressions", json={"phone": OPTED_OUT, "reason": "asked"})
    done = await crew.launched(phones(300, 5_000))
    await crew.until_status(done, "done")
    waiting = await crew.launched(
        phones(20, 6_000), mode="on_time", starts_at="2999-01-01T00:00:00Z"
    )
    await crew.until_status(waiting, "pending")
    await crew.post("/campaigns", {"channel": "voice", "name": "Calls", "destination": "sim:a"})
    code, said = await carillon("backup", str(backup), "--data", str(up.data))
    assert code == 0, said
    before = await seen(up)
    await crew.close()
    await admin.aclose()
    return before


@pytest.fixture(scope="module")
def restored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """A platform on what a backup of an earlier one held; the earlier one is gone."""
    folder = tmp_path_factory.mktemp("lives")
    backup = folder / "backup"
    with platform(folder / "first") as up:
        before = asyncio.run(first_life(up, backup))
    shutil.rmtree(folder / "first")
    data = folder / "second" / "data"
    code, said = asyncio.run(carillon("restore", str(backup), "--data", str(data)))
    assert code == 0, said
    links = [Link("sim"), Link("slow", window=2, segments_per_second=5)]
    with platform(folder / "second", links=links) as up:
        yield {"up": up, "before": before, "backup": backup, "said": said}


async def test_everything_is_seen_as_it_was(restored: dict[str, Any]) -> None:
    hour = time.localtime().tm_hour
    after = await seen(restored["up"])
    before = restored["before"]
    if time.localtime().tm_hour != hour:
        pytest.skip("the hour has changed in between")
    for name, shown in before.items():
        assert after[name] == shown, name


async def test_restoring_names_the_campaigns_that_go_on(restored: dict[str, Any]) -> None:
    waiting = [row["id"] for row in restored["before"]["campaigns"] if row["status"] == "pending"]
    assert len(waiting) == 1
    assert waiting[0] in restored["said"]


async def test_the_next_campaign_works(restored: dict[str, Any]) -> None:
    up: Platform = restored["up"]
    crew = Crew.of(up, WORKSPACE)
    numbers = [*phones(50, 7_000), OPTED_OUT]
    campaign = await crew.launched(numbers)
    row = await crew.until_status(campaign, "done")
    assert row["stats"]["delivered"] + row["stats"]["failed"] == 50
    assert not up.accepted([OPTED_OUT])
    await crew.close()


async def test_a_platform_that_runs_is_not_restored_into(restored: dict[str, Any]) -> None:
    up: Platform = restored["up"]
    code, said = await carillon("restore", str(restored["backup"]), "--data", str(up.data))
    assert code == 1
    assert "is running: end it first" in said


async def test_a_broken_backup_is_refused_before_anything_is_touched(
    restored: dict[str, Any], tmp_path: Path
) -> None:
    broken, target = tmp_path / "broken", tmp_path / "target"
    shutil.copytree(restored["backup"], broken)
    file = broken / "campaign.contacts.bson"
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    code, said = await carillon("restore", str(broken), "--data", str(target))
    assert (code, "not as it was written" in said) == (1, True), said
    file.unlink()
    code, said = await carillon("restore", str(broken), "--data", str(target))
    assert (code, "not whole" in said) == (1, True), said
    manifest = broken / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"documents": 1', '"documents": 2', 1))
    code, said = await carillon("restore", str(broken), "--data", str(target))
    assert (code, "manifest.json is not as it was written" in said) == (1, True), said
    manifest.unlink()
    code, said = await carillon("restore", str(broken), "--data", str(target))
    assert (code, "no finished backup" in said) == (1, True), said
    assert not target.exists()


async def test_a_backup_wants_a_folder_of_its_own(restored: dict[str, Any]) -> None:
    data = str(restored["up"].data)
    code, said = await carillon("backup", str(restored["backup"]), "--data", data)
    assert (code, "is not empty" in said) == (1, True), said


async def test_the_log_alone_comes_back_with_its_positions_and_only_once(
    restored: dict[str, Any], tmp_path: Path
) -> None:
    backup, target = restored["backup"], tmp_path / "target"
    code, said = await carillon("log", "import", str(backup), "--data", str(target))
    assert code == 0, said
    streams = json.loads((backup / "manifest.json").read_text())["streams"]
    for stream in streams:
        if stream["name"] != "LEASES":
            assert f"{stream['name']}: {stream['state']['last_seq']:,} entries" in said
    code, said = await carillon("restore", str(backup), "--data", str(target))
    assert (code, "The log is not empty" in said) == (1, True), said


async def test_a_folder_that_was_half_restored_is_not_started(tmp_path: Path) -> None:
    (tmp_path / "unfinished").write_text("Restoring backup\n")
    code, said = await carillon("up", "--port", "0", "--data", str(tmp_path))
    assert (code, f"rm -r {tmp_path}" in said) == (1, True), said


async def calls_with(crew: Crew, numbers: list[str]) -> str:
    """A voice campaign that runs, of somebody who is not called before tomorrow."""
    now = datetime.now(UTC)
    window = {
        "start": f"{(now + timedelta(hours=2)):%H:%M}",
        "end": f"{(now + timedelta(hours=3)):%H:%M}",
        "timezone": "UTC",
    }
    made = await crew.post(
        "/campaigns",
        {
            "channel": "voice",
            "name": "Later",
            "destination": "sim:agents",
            "caller_ids": ["+4930111"],
            "campaign_mode": "continuous",
            "time_window": window,
        },
    )
    await crew.uploaded(made["id"], csv_of(numbers))
    await crew.act(made["id"], "start")
    return str(made["id"])


async def stats_of(crew: Crew, campaign: str) -> dict[str, int]:
    return dict((await crew.seen(f"/campaigns/{campaign}"))["stats"])


async def places(up: Platform) -> list[str]:
    """Everything in MongoDB in which somebody can read the number, as raw bytes."""
    found: set[str] = set()
    async with AsyncMongoClient[dict[str, Any]](up.file().mongo_url) as mongo:
        for database in ("campaign", "moderation", "dispatcher", "dialler", "read_model", "audit"):
            for name in await mongo[database].list_collection_names():
                raw: Any = mongo[database][name].find_raw_batches({})
                if ADAS_DIGITS.encode() in b"".join([batch async for batch in raw]):
                    found.add(f"{database}.{name}")
    return sorted(found)


async def test_an_erased_person_is_nowhere_and_nothing_waits_for_them(
    restored: dict[str, Any],
) -> None:
    up: Platform = restored["up"]
    crew = Crew.of(up, "care")
    admin = up.client("care", "admin", sub="root")
    done = await crew.launched([ADA, *phones(5, 8_000)])
    await crew.until_status(done, "done")
    pushed = await crew.campaign(
        await crew.sender(), mode="trigger", text="Hello {{name}}, call {{friend}}"
    )
    await crew.approve(pushed["id"])
    await crew.until_status(pushed["id"], "sending")
    for phone, friend in ((ADA, "Bo"), ("+4915118880000", "0151 18889999")):
        values = {"name": "You", "friend": friend}
        await crew.post(
            f"/campaigns/{pushed['id']}/messages", {"phone": phone, "variables": values}
        )
    calling = await calls_with(crew, [*phones(3, 8_100), ADA])
    await eventually(lambda: stats_of(crew, calling), lambda stats: stats["pending"] == 4)
    headers = {"Idempotency-Key": "ada", "User-Agent": "phone/015118889999"}
    added = await admin.post("/suppressions", json={"phone": ADA}, headers=headers)
    assert added.status_code == 201
    assert len(await places(up)) >= 5
    held = await crew.launched([*phones(40, 8_300), "+4915118886666"], link_id="slow")
    await crew.until_status(held, "sending")
    await crew.act(held, "pause")
    # The link takes 5 a second and reads ahead: the last one waits in memory.
    going = await crew.launched([*phones(40, 8_200), "+4915118887777"], link_id="slow")
    await eventually(lambda: stats_of(crew, going), lambda stats: stats["submitted"] > 0)
    answer = await admin.post("/ops/erase", json={"phone": "+49 151 18887777"})
    assert answer.json()["erased"]["contacts"] == 1, answer.text
    for phone in ("+4915118886666", ADA):
        code, said = await carillon("erase", "--phone", phone, "--data", str(up.data))
        assert code == 0, said
    assert "contacts 2, " in said
    assert "pushed contacts 1" in said
    assert "suppressions 1" in said

    assert await places(up) == []
    audited = await crew.seen("/audit?action=ops.erased", admin)
    assert ADAS_DIGITS not in json.dumps(audited)
    report = await crew.author.get(f"/campaigns/{done}/delivery-report.csv")
    assert ADAS_DIGITS not in report.text
    assert report.text.splitlines()[1].startswith("1,,delivered")
    await crew.until_status(going, "done")
    assert (await stats_of(crew, going))["skipped"] == 1
    await crew.act(held, "resume")
    await crew.until_status(held, "done")
    rows = (await crew.seen(f"/campaigns/{held}/messages?status=skipped"))["items"]
    assert [(row["number"], row["phone"], row["reason"]) for row in rows] == [(41, None, "erased")]
    assert not up.accepted(["+4915118887777", "+4915118886666"])
    waiting = await eventually(lambda: stats_of(crew, calling), lambda s: s["pending"] == 3)
    assert waiting["manual_stopped"] == 1
    assert ADAS_DIGITS not in json.dumps(await crew.seen(f"/campaigns/{calling}/calls"))
    assert await differing_views(up) == []

    again = await crew.campaign(await crew.sender())
    assert (await crew.uploaded(again["id"], csv_of([ADA])))["suppressed"] == 1
    await crew.close()
    await admin.aclose()


async def test_erasing_is_for_admins_and_within_their_workspace(restored: dict[str, Any]) -> None:
    up: Platform = restored["up"]
    ann, root = up.client("one", "author"), up.client("one", "admin", sub="root")
    body = {"phone": "+4915118885555"}
    assert (await ann.post("/ops/erase", json=body)).status_code == 403
    assert (await root.post("/ops/erase?everywhere=true", json=body)).status_code == 403
    assert (await root.post("/ops/erase", json={"phone": "0151"})).status_code == 422
    assert (await root.post("/ops/erase", json={"phone": "x", "y": 1})).status_code == 422
    crews = [Crew.of(up, "one"), Crew.of(up, "two")]
    for crew in crews:
        made = await crew.campaign(await crew.sender())
        await crew.uploaded(made["id"], csv_of([body["phone"]]))
    answer = await root.post("/ops/erase", json={"phone": "0151 18885555", "region": "DE"})
    assert answer.json()["erased"]["contacts"] == 1
    audited = (await ask(root, "GET", "/audit?action=ops.erased"))["items"]
    assert audited[0]["after"]["contacts"] == 1
    assert "18885555" not in json.dumps(audited)
    again = await root.post("/ops/erase", json=body)
    assert again.json()["erased"]["contacts"] == 0
    code, said = await carillon("erase", "--phone", body["phone"], "--data", str(up.data))
    assert (code, "contacts 1" in said) == (0, True), said
    for crew in crews:
        await crew.close()
    for client in (ann, root):
        await client.aclose()


async def test_what_is_no_phone_number_is_not_erased(restored: dict[str, Any]) -> None:
    data = str(restored["up"].data)
    code, said = await carillon("erase", "--phone", "015118889999", "--data", data)
    assert (code, "--region DE" in said) == (1, True), said


async def eventually(
    ask_for: Callable[[], Awaitable[dict[str, int]]], is_so: Callable[[dict[str, int]], bool]
) -> dict[str, int]:
    """Ask until the answer is so."""
    found: dict[str, int] = {}
    try:
        async with asyncio.timeout(60):
            while not is_so(found := await ask_for()):
                await asyncio.sleep(0.1)
    except TimeoutError:
        raise AssertionError(found) from None
    return found


ROOT = Path(__file__).parents[2]
GOES_ON = "Ctrl-C ends it"
STARTS = "carillon up"
MAY_FAIL = ("carillon parked retry --all",)
"""What was parked on purpose can not be digested the second time either."""


def runbook() -> list[str]:
    """Every command of the README's part on operating and of the runbook, in order, each once."""
    text = (ROOT / "README.md").read_text()
    part = text[text.index("### Looking") : text.index("To use your own carrier")]
    part += (ROOT / "docs" / "runbook.md").read_text()
    blocks = re.findall(r"```sh\n(.*?)```", part, re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines()]
    return [line for line in dict.fromkeys(lines) if line.strip() and STARTS not in line]


async def parked_id(up: Platform, workspace: str) -> str:
    """The id of an event that no view can digest."""
    nc = await nats.connect(up.file().nats_url)
    await nc.jetstream().publish(f"campaign.{workspace}.strange.created", b"rubbish")
    await nc.close()
    async with asyncio.timeout(60):
        while True:
            _, said = await carillon("parked", "list", "--json", "--data", str(up.data))
            if items := json.loads(said)["items"]:
                return str(items[0]["id"])


async def test_every_command_of_the_runbook_can_be_typed(
    restored: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    up: Platform = restored["up"]
    (tmp_path / ".carillon").symlink_to(up.data)
    values = {
        "CAMPAIGN_ID": restored["before"]["campaigns"][0]["id"],
        "PARKED_ID": await parked_id(up, "runbook"),
        "NEW_FOLDER": str(tmp_path / "new"),
        "BACKUP": str(restored["backup"]),
        "PHONE": "+4915118884444",
        "URL": up.url,
    }
    commands = runbook()
    assert len(commands) > 30
    monkeypatch.chdir(tmp_path)
    for line in commands:
        command = line.partition("  #")[0].strip()
        for name, value in values.items():
            command = re.sub(rf"\b{name}\b", value, command)
        if GOES_ON in line:
            command = f"timeout -s INT 8 {command}"
        code, said = await typed(command)
        fine = {0, 1} if line.startswith(MAY_FAIL) else {124} if GOES_ON in line else {0}
        assert code in fine, f"{command}: {code}\n{said}"


async def typed(command: str) -> tuple[int, str]:
    """What comes of a command; plain ones of ours need no process of their own."""
    if command.startswith("carillon ") and "$" not in command:
        arguments = shlex.split(command)[1:]
        result = await asyncio.to_thread(CliRunner().invoke, app, arguments)
        return result.exit_code, f"{result.output}{result.exception or ''}"
    path = f"{Path(CARILLON).parent}:{plain_environment()['PATH']}"
    process = await asyncio.create_subprocess_exec(
        *("bash", "-o", "pipefail", "-c", command),
        env=plain_environment() | {"PATH": path},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, said.decode()
