"""`carillon log` against a real nats-server: what is shown, what is written, what is refused."""

import asyncio
import json
import os
import subprocess
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import nats
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner, Result

from campaign_events.campaign import CampaignDeleted
from campaign_events.envelope import Actor, Address, Event, Origin, new_id
from campaign_events.eventlog import EventLog, Fact
from campaign_events.message import MessagesReported, MessagesTaken, SendingFinished
from carillon.backup.bare import bare_servers
from carillon.cli import app
from carillon.errors import PlainError
from carillon.log.filtering import filter_of
from carillon.log.tasks import tail_log
from carillon.servers.connections import nats_at
from carillon.stack_file import StackFile
from stacks import CARILLON

ANN = Actor(id="ann", name="Ann")
type Run = Callable[..., Result]


@pytest.fixture
def data(nats_url: str, tmp_path: Path) -> Path:
    """The folder of a platform of which only the log runs."""
    StackFile("http://127.0.0.1:1", nats_url, "mongodb://127.0.0.1:1", {}, "").write(tmp_path)
    return tmp_path


@pytest.fixture
def run(data: Path) -> Run:
    def carillon(*arguments: str) -> Result:
        return CliRunner().invoke(app, [*arguments, "--data", str(data)])

    return carillon


def say(nats_url: str, workspace: str, *facts: tuple[Event, str]) -> list[tuple[int, str]]:
    """Append facts about things; return place and id of each."""

    async def append() -> list[tuple[int, str]]:
        nc = await nats.connect(nats_url)
        log, said = EventLog(nc), []
        for event, thing in facts:
            fact = Fact(event, Address(workspace, thing), new_id())
            origin = Origin(new_id(), datetime.now(UTC), "test")
            said.append((await log.append_fact(fact, origin), fact.id))
        await nc.close()
        return said

    return asyncio.run(append())


def lines(result: Result) -> list[dict[str, Any]]:
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def types(entries: Sequence[dict[str, Any]]) -> list[str]:
    return [entry["event"]["type"] for entry in entries]


def three(nats_url: str, workspace: str) -> list[tuple[int, str]]:
    return say(
        nats_url,
        workspace,
        (CampaignDeleted(was="new", by=ANN), "one"),
        (MessagesTaken(link="sim", epoch=1, spans=((1, 7),), count=7), "one"),
        (MessagesReported(link="sim", delivered=(1, 2, 3)), "two"),
    )


def test_tail_tells_what_was_by_time_and_ends_when_it_is_not_to_follow(
    run: Run, nats_url: str, workspace: str
) -> None:
    three(nats_url, workspace)
    every = lines(run("log", "tail", "--no-follow", "--json", "--workspace", workspace))
    assert types(every) == ["campaign.deleted", "message.taken", "message.reported"]
    one = run("log", "tail", "--no-follow", "--json", "--workspace", workspace, "--campaign", "one")
    assert types(lines(one)) == ["campaign.deleted", "message.taken"]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (["message"], ["message.taken", "message.reported"]),
        (["message.taken"], ["message.taken"]),
        (["message.taken", "campaign.deleted"], ["campaign.deleted", "message.taken"]),
        (["call"], []),
    ],
)
def test_types_and_kinds_select(
    run: Run, nats_url: str, workspace: str, wanted: list[str], found: list[str]
) -> None:
    three(nats_url, workspace)
    chosen = [part for one in wanted for part in ("--type", one)]
    every = run("log", "tail", "--no-follow", "--json", "--workspace", workspace, *chosen)
    assert types(lines(every)) == found


def test_a_range_of_positions_selects_within_the_streams_that_it_names(
    run: Run, nats_url: str, workspace: str
) -> None:
    (_, _), (taken, _), (reported, _) = three(nats_url, workspace)
    tail = ("log", "tail", "--no-follow", "--json")
    assert types(lines(run(*tail, "--position", f"m{taken}..m{reported}"))) == ["message.reported"]
    assert types(lines(run(*tail, "--position", f"m{taken - 1}..m{taken}"))) == ["message.taken"]
    assert types(lines(run(*tail, "--position", f"m{reported}"))) == []


def test_times_select(run: Run, nats_url: str, workspace: str) -> None:
    three(nats_url, workspace)
    tail = ("log", "tail", "--no-follow", "--json", "--workspace", workspace)
    assert len(lines(run(*tail, "--since", "1h"))) == 3
    assert lines(run(*tail, "--since", "2999-01-01")) == []
    assert lines(run(*tail, "--until", "1h")) == []
    assert len(lines(run(*tail, "--since", "2026-01-01", "--until", "2999-01-01T00:00Z"))) == 3


def test_tail_follows_what_comes(nats_url: str, data: Path, workspace: str) -> None:
    async def watch() -> list[str]:
        wanted = filter_of(
            workspace=workspace, campaign=None, types=(), since="1h", until=None, position=None
        )
        seen: list[str] = []
        first = asyncio.Event()

        def shown(entry: Any) -> None:
            seen.append(entry.event.type)
            first.set()

        tail = asyncio.create_task(tail_log(data, wanted, shown, follow=True, limit=3))
        await asyncio.wait_for(first.wait(), 10)
        await asyncio.to_thread(
            say,
            nats_url,
            workspace,
            (SendingFinished(), "one"),
            (CampaignDeleted(was="new", by=ANN), "two"),
        )
        await asyncio.wait_for(tail, 10)
        return seen

    say(nats_url, workspace, (CampaignDeleted(was="new", by=ANN), "one"))
    seen = asyncio.run(watch())
    assert seen[0] == "campaign.deleted"
    assert sorted(seen[1:]) == ["campaign.deleted", "message.finished"]


def test_a_line_for_people_names_place_type_and_thing(
    run: Run, nats_url: str, workspace: str
) -> None:
    [(seq, _)] = say(nats_url, workspace, (MessagesReported(link="sim", delivered=(1, 2)), "abc"))
    shown = run("log", "tail", "--no-follow", "--workspace", workspace).stdout
    assert f"m{seq}" in shown
    assert "message.reported" in shown
    assert f"{workspace}/abc" in shown
    assert "delivered[2]" in shown


def test_an_entry_is_shown_by_its_place_and_by_its_id(
    run: Run, nats_url: str, workspace: str
) -> None:
    [_, (seq, event_id), _] = three(nats_url, workspace)
    by_place = lines(run("log", "show", f"m{seq}", "--json"))
    assert by_place == lines(run("log", "show", event_id, "--json"))
    assert by_place[0]["event"]["id"] == event_id
    assert '"count": 7' in run("log", "show", f"m{seq}").stdout


def test_a_commands_id_shows_all_that_came_of_it(run: Run, nats_url: str, workspace: str) -> None:
    command = new_id()

    async def append() -> None:
        nc = await nats.connect(nats_url)
        origin = Origin(command, datetime.now(UTC), "test")
        events = [CampaignDeleted(was="new", by=ANN)] * 2
        await EventLog(nc).append(events, Address(workspace, "one"), origin, after=0)
        await nc.close()

    asyncio.run(append())
    found = lines(run("log", "show", command, "--json"))
    assert [entry["event"]["id"] for entry in found] == [f"{command}:0", f"{command}:1"]


@pytest.mark.parametrize("name", ["c999999", "019b0000-0000-7000-8000-000000000000", "nonsense"])
def test_what_is_not_in_the_log_is_said(run: Run, name: str) -> None:
    result = run("log", "show", name)
    assert isinstance(result.exception, PlainError)


def test_json_lines_hold_the_events_byte_for_byte(
    run: Run, nats_url: str, workspace: str, tmp_path: Path
) -> None:
    three(nats_url, workspace)
    file = tmp_path / "log.jsonl"
    assert run("log", "export", str(file), "--workspace", workspace).exit_code == 0
    shown = run("log", "tail", "--no-follow", "--json", "--workspace", workspace).stdout
    assert sorted(file.read_text().splitlines()) == sorted(shown.splitlines())


def test_parquet_holds_a_row_per_entry(
    run: Run, nats_url: str, workspace: str, tmp_path: Path
) -> None:
    (deleted, event_id), *_ = three(nats_url, workspace)
    file = tmp_path / "log.parquet"
    assert run("log", "export", str(file), "--workspace", workspace).exit_code == 0
    rows = pq.read_table(file).to_pylist()
    assert [row["type"] for row in rows] == [
        *("campaign.deleted", "message.taken", "message.reported")
    ]
    first = rows[0]
    assert (first["id"], first["seq"]) == (event_id, deleted)
    assert first["position"] == f"c{deleted}"
    assert first["time"].tzinfo is not None
    assert json.loads(first["data"])["by"]["id"] == "ann"


def test_an_export_replaces_nothing_unless_told(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "log.jsonl"
    file.write_text("mine")
    assert isinstance(run("log", "export", str(file)).exception, PlainError)
    assert file.read_text() == "mine"
    assert run("log", "export", str(file), "--force").exit_code == 0
    assert file.read_text() != "mine"
    assert isinstance(run("log", "export", str(tmp_path / "log.csv")).exception, PlainError)


def test_stats_count_entries_and_facts(run: Run, nats_url: str, workspace: str) -> None:
    def count() -> tuple[int, int]:
        streams = {one["stream"]: one for one in lines(run("log", "stats", "--json"))}
        taken = streams["MESSAGES"]["types"].get("message.taken", {"entries": 0, "facts": 0})
        assert streams["MESSAGES"]["share_of_limit"] < 0.01
        return taken["entries"], taken["facts"]

    entries, facts = count()
    three(nats_url, workspace)
    assert count() == (entries + 1, facts + 7)
    assert "MESSAGES" in run("log", "stats", "--quick").stdout


def test_an_entry_that_is_no_event_is_shown_and_exported(
    run: Run, nats_url: str, workspace: str, tmp_path: Path
) -> None:
    async def spoil() -> int:
        nc = await nats.connect(nats_url)
        ack = await nc.jetstream().publish(f"campaign.{workspace}.one.created", b"\xffrubbish")
        await nc.close()
        return ack.seq

    seq = asyncio.run(spoil())
    three(nats_url, workspace)
    found = lines(
        run("log", "tail", "--no-follow", "--json", "--workspace", workspace, "--since", "1h")
    )
    spoiled = next(entry for entry in found if "unreadable" in entry)
    assert bytes.fromhex(spoiled["unreadable"]) == b"\xffrubbish"
    assert "rubbish" in run("log", "show", f"c{seq}").stdout
    file = tmp_path / "log.parquet"
    assert run("log", "export", str(file), "--workspace", workspace).exit_code == 0
    assert len(pq.read_table(file)) == 4


@pytest.mark.parametrize(
    "options",
    [
        ["--since", "yesterday"],
        ["--type", "weather"],
        ["--type", "Campaign.Created"],
        ["--position", "x12"],
        ["--position", "c1.."],
        ["--workspace", "a.b"],
        ["--campaign", "*"],
    ],
)
def test_a_filter_that_makes_no_sense_is_explained(run: Run, options: list[str]) -> None:
    result = run("log", "tail", "--no-follow", *options)
    assert isinstance(result.exception, PlainError)
    assert options[1].split("..")[0] in str(result.exception)


def test_without_a_platform_it_says_what_to_do(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["log", "stats", "--data", str(tmp_path / "none")])
    assert isinstance(result.exception, PlainError)
    assert "carillon up" in str(result.exception)


def test_a_whole_export_is_imported_at_the_same_positions_and_only_into_an_empty_log(
    run: Run, nats_url: str, workspace: str, tmp_path: Path
) -> None:
    three(nats_url, workspace)
    file, fresh = tmp_path / "log.jsonl", str(tmp_path / "fresh")
    assert run("log", "export", str(file)).exit_code == 0
    done = CliRunner().invoke(app, ["log", "import", str(file), "--data", fresh])
    assert done.exit_code == 0, done.output

    async def again() -> str:
        async with bare_servers(Path(fresh), lambda _: None) as servers:
            StackFile("", servers.nats_url, servers.mongo_url, {}, "").write(Path(fresh))
            async with nats_at(servers.nats_url) as nc:
                history = await EventLog(nc).load_subject("MESSAGES", f"*.{workspace}.>")
            assert [fact.event.type for fact in history] == ["message.taken", "message.reported"]
            arguments = ["log", "export", str(tmp_path / "again.jsonl"), "--data", fresh]
            exported = await asyncio.to_thread(CliRunner().invoke, app, arguments)
            return str(exported.exit_code)

    assert asyncio.run(again()) == "0"
    assert (tmp_path / "again.jsonl").read_text() == file.read_text()
    refused = CliRunner().invoke(app, ["log", "import", str(file), "--data", fresh])
    assert isinstance(refused.exception, PlainError)
    assert "not empty" in str(refused.exception)


def test_a_part_of_a_log_is_not_imported(
    run: Run, nats_url: str, workspace: str, tmp_path: Path
) -> None:
    three(nats_url, workspace)
    three(nats_url, workspace)
    file = tmp_path / "part.jsonl"
    assert run("log", "export", str(file), "--type", "message.taken").exit_code == 0
    refused = run("log", "import", str(file))
    assert isinstance(refused.exception, PlainError)
    assert "positions would change" in str(refused.exception)


@pytest.mark.parametrize("text", ["", "nonsense\n", '{"stream":"CAMPAIGNS","seq":1}\n', "[]\n"])
def test_what_is_no_export_is_not_imported(run: Run, tmp_path: Path, text: str) -> None:
    file = tmp_path / "log.jsonl"
    file.write_text(text)
    assert isinstance(run("log", "import", str(file)).exception, PlainError)


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_a_closed_pipe_ends_the_tail_quietly(
    data: Path, nats_url: str, workspace: str, form: Sequence[str]
) -> None:
    facts = [(CampaignDeleted(was="new", by=ANN), str(number)) for number in range(300)]
    say(nats_url, workspace, *facts)
    read, write = os.pipe()
    os.close(read)
    order = ["log", "tail", "--since", "1h", "--data", str(data), *form]
    with os.fdopen(write, "wb") as closed:
        ended = subprocess.run(
            [CARILLON, *order], stdout=closed, stderr=subprocess.PIPE, text=True, check=False
        )
    assert ended.stderr == ""


def test_a_server_lost_while_tailing_is_one_line_that_says_what_to_do(tmp_path: Path) -> None:
    async def lose() -> tuple[int, str, str]:
        async with bare_servers(tmp_path / "data", lambda _: None) as servers:
            StackFile("http://127.0.0.1:1", servers.nats_url, "", {}, "").write(tmp_path / "data")
            tail = await asyncio.create_subprocess_exec(
                *(CARILLON, "log", "tail", "--data", str(tmp_path / "data")),
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
            await asyncio.sleep(3)
            assert tail.returncode is None
        said, complained = await asyncio.wait_for(tail.communicate(), 20)
        return await tail.wait(), said.decode(), complained.decode()

    code, said, complained = asyncio.run(lose())
    assert (code, said) == (1, "")
    assert "Traceback" not in complained
    assert "The event log went away" in complained.splitlines()[-1]
