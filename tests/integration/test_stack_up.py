"""`carillon up` as a person starts it: every process, one ready line, and a clean end."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
import pytest
import pytest_asyncio

from carillon.services import SERVICES
from carillon.stack_file import read_stack_file
from carillon.traffic.demo import fictional_numbers

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(120)]

CARILLON = str(Path(sys.executable).with_name("carillon"))
NAMES = {"nats", "mongo", "edge", "carrier", "telephony", *SERVICES}


@dataclass(frozen=True)
class Launched:
    """A platform started from the command line."""

    process: asyncio.subprocess.Process
    data: Path
    url: str


def plain_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("CARILLON_")}


async def run(*arguments: str) -> tuple[int, str, str]:
    process = await asyncio.create_subprocess_exec(
        *(CARILLON, *arguments),
        env=plain_environment(),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


async def launch(data: Path, *arguments: str) -> Launched:
    with (data.parent / "said").open("wb") as said:
        process = await asyncio.create_subprocess_exec(
            *(CARILLON, "up", "--port", "0", "--data", str(data), *arguments),
            env=plain_environment(),
            stdout=asyncio.subprocess.PIPE,
            stderr=said,
        )
    assert process.stdout is not None
    line = (await process.stdout.readline()).decode()
    assert line.startswith("ready http://127.0.0.1:"), (data.parent / "said").read_text()
    return Launched(process, data, line.split()[1])


def running_below(pid: int) -> list[psutil.Process]:
    return psutil.Process(pid).children(recursive=True)


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not true():
            await asyncio.sleep(0.05)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def up(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Launched]:
    launched = await launch(tmp_path_factory.mktemp("up") / "data")
    yield launched
    if launched.process.returncode is None:
        launched.process.terminate()
        await launched.process.communicate()


async def test_stack_json_names_every_process(up: Launched) -> None:
    found = read_stack_file(up.data)
    assert set(found.services) == NAMES
    assert found.url == up.url
    pids = {place.pid for place in found.services.values()}
    assert pids <= {child.pid for child in running_below(up.process.pid)}


async def test_every_part_answers_to_the_token_of_the_stack(up: Launched) -> None:
    token = Path(read_stack_file(up.data).token_file).read_text().strip()
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=up.url, headers=headers) as client:
        for path in ("/overview", "/links", "/senders", "/moderation/campaigns"):
            answer = await client.get(f"/api/v1{path}")
            assert answer.status_code == 200, (path, answer.text)
        assert (await client.post("/api/v1/campaigns", json={})).status_code == 422
        assert "<title>" in (await client.get("/")).text


async def test_a_platform_starts_empty(up: Launched) -> None:
    _, token, _ = await run("token", "--data", str(up.data), "--role", "viewer")
    headers = {"Authorization": f"Bearer {token.strip()}"}
    async with httpx.AsyncClient(base_url=up.url, headers=headers) as client:
        kpi = (await client.get("/api/v1/overview/kpi")).json()
    assert kpi["total"] == 0


@pytest.mark.parametrize("name", SERVICES)
async def test_a_killed_service_comes_back_on_its_port(up: Launched, name: str) -> None:
    before = read_stack_file(up.data).services[name]
    assert before.pid is not None
    os.kill(before.pid, signal.SIGKILL)
    await until(lambda: read_stack_file(up.data).services[name].pid not in (None, before.pid))
    assert read_stack_file(up.data).services[name].url == before.url
    async with httpx.AsyncClient(base_url=before.url) as client:
        async with asyncio.timeout(60):
            while True:
                try:
                    if (await client.get("/readyz")).is_success:
                        break
                except httpx.TransportError:
                    await asyncio.sleep(0.1)


async def test_a_campaign_runs_from_the_shell(up: Launched, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    numbers = list(fictional_numbers())[:200]
    rows = [f"{number},Ada" for number in (*numbers, numbers[0], "rubbish")]
    file.write_text("phone,name\n" + "\n".join(rows) + "\n")
    text = "Hello {{name}}, see you soon."
    code, out, err = await run(
        *("campaign", "run", str(file), "--data", str(up.data)), "--text", text, "--approve"
    )
    assert code == 0, out + err
    lines = out.splitlines()
    assert "uploaded: 200 accepted, 1 invalid, 1 duplicate, 0 suppressed" in lines
    assert any(line.startswith("  line 203: ") for line in lines)
    status, *totals = lines[-1].split()
    numbered = {name: int(value) for name, value in (total.split("=") for total in totals)}
    assert status == "done"
    assert numbered["total"] == 200
    assert numbered["delivered"] + numbered["failed"] + numbered["skipped"] == 200
    assert numbered["delivered"] > 150


async def test_a_refused_campaign_is_one_clear_line(up: Launched, tmp_path: Path) -> None:
    file = tmp_path / "people.txt"
    file.write_text("+12015550100\n")
    command = ("campaign", "run", str(file), "--data", str(up.data), "--text", "x" * 5000)
    code, _, err = await run(*command)
    assert code == 1
    assert err.startswith("carillon: ")
    assert "(422 invalid)" in err
    assert "Traceback" not in err


async def test_the_doctor_sees_the_running_platform(up: Launched) -> None:
    code, out, _ = await run("doctor", "--data", str(up.data))
    assert code == 0, out
    assert up.url in out


async def test_no_log_holds_a_phone_number_or_a_password(up: Launched) -> None:
    passwords = json.loads((up.data / "credentials" / "passwords.json").read_text()).values()
    seeds = [file.read_text() for file in (up.data / "credentials").glob("*.nkey")]
    assert len(seeds) == len(SERVICES)
    secrets = [*passwords, *seeds, "+1201555", "1201555"]
    for log in (up.data / "logs").iterdir():
        text = log.read_text(errors="replace")
        assert not [secret for secret in secrets if secret in text], log.name


async def test_sigterm_ends_everything_and_exits_with_zero(up: Launched) -> None:
    children = running_below(up.process.pid)
    assert len(children) >= len(NAMES)
    up.process.terminate()
    async with asyncio.timeout(30):
        assert await up.process.wait() == 0
    assert not [child for child in children if child.is_running()]
    assert not (up.data / "stack.json").exists()
    code, _, err = await run("campaign", "run", __file__, "--data", str(up.data), "--text", "x")
    assert code == 1
    assert err.startswith("carillon: ")
