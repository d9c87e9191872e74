"""Backup, wipe, restore: what people see is what they saw, and the next campaign works."""

import asyncio
import json
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stack_campaigns import Crew, phones
from stacks import CARILLON, Platform, plain_environment, platform

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

WORKSPACE = "shop"
OPTED_OUT = "+4915119999999"
SHOWN = ("kpi", "delivery", "funnel", "activity", "top_authors", "recent")


async def carillon(*arguments: str) -> tuple[int, str]:
    """Run a command to its end; what it said."""
    process = await asyncio.create_subprocess_exec(
        *(CARILLON, *arguments),
        env=plain_environment(),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, said.decode()


async def seen(up: Platform) -> dict[str, Any]:
    """What the pages and lists of a workspace say."""
    crew = Crew.of(up, WORKSPACE)
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
    with platform(folder / "second") as up:
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
