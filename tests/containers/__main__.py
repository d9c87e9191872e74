"""`make containers`: images, deploy/compose.yml, two campaigns, and a look at every container.

    PYTHONPATH=tests python -m containers [--numbers N]

The second campaign's dispatcher is killed on the way; who is not root may not do that. Everything
that was started is ended. The exit code is 0 when all of it held.
"""

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from rich.console import Console

from carillon.deployment.secrets import write_secrets
from carillon.errors import PlainError
from carillon.servers.ports import Ports
from carillon.services import SERVICES
from containers import campaigns, hardness, images
from containers.composition import (
    HERE,
    JOBS,
    ComposeError,
    Composition,
    NoComposeError,
    compose_program,
)
from containers.engine import Engine, EngineError, NoEngineError, engine

FAILURES = (
    PermissionError,
    PlainError,
    ComposeError,
    NoComposeError,
    EngineError,
    NoEngineError,
    images.NoImageError,
)
SCRAPED_WITHIN_S = 40
CONSOLE = Console(highlight=False, soft_wrap=True)


class Clock:
    """Says every step with the time since the beginning."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    def say(self, line: str) -> None:
        """Show a step."""
        CONSOLE.print(f"[{time.monotonic() - self._began:4.0f} s] {line}", markup=False)


def main() -> None:
    """Do everything; exit code 1 when something did not hold, 2 when something is missing."""
    parser = argparse.ArgumentParser(prog="containers", description=__doc__.splitlines()[0])
    parser.add_argument("--numbers", type=int, default=5000, help="how many people per campaign")
    given = parser.parse_args()
    clock = Clock()
    try:
        with engine() as found:
            wrong = run(found, clock, given.numbers)
    except (NoEngineError, NoComposeError, images.NoImageError) as missing:
        CONSOLE.print(str(missing), markup=False)
        sys.exit(2)
    except FAILURES as failure:
        CONSOLE.print(str(failure), markup=False)
        sys.exit(1)
    for line in wrong:
        clock.say(f"WRONG: {line}")
    clock.say("all of it held" if not wrong else f"{len(wrong)} things did not hold")
    sys.exit(1 if wrong else 0)


def run(found: Engine, clock: Clock, numbers: int) -> list[str]:
    """Everything with this engine; what did not hold."""
    program = compose_program(found)
    clock.say(
        f"engine {found.run('version', '--format', '{{.Server.Version}}')}, {' '.join(program)}"
    )
    made = made_images(found, clock)
    with tempfile.TemporaryDirectory(prefix="carillon-compose-") as folder:
        secrets, data = Path(folder) / "secrets", Path(folder) / "data"
        write_secrets(secrets)
        port = Ports(Path(folder) / "ports.json").take("edge")
        settings = {
            **made.settings,
            "CARILLON_SECRETS": str(secrets),
            "CARILLON_PORT": str(port),
            "CARILLON_URL": f"https://127.0.0.1:{port}",
        }
        # Whom the client of this process trusts.
        os.environ["SSL_CERT_FILE"] = str(secrets / "certificates/ca.crt")
        composition = Composition(found, program, f"carillon-{port}", settings)
        with started(composition, clock):
            found.run(
                "cp", f"{composition.container('issuer')}:/var/lib/carillon/.carillon", str(data)
            )
            wrong = [*looked_at(composition, secrets)]
            clock.say(
                f"{len(HERE)} containers looked at: users, capabilities, file systems, secrets"
            )
            wrong += sent_through(composition, Path(folder), data, clock, numbers)
            wrong += watched(composition)
            sizes(composition, clock)
    return wrong


def made_images(found: Engine, clock: Clock) -> images.Images:
    """The images, official where a registry is reached."""
    if images.registry_is_reached(found):
        clock.say("a registry is reached: official images")
        made = images.official()
    else:
        clock.say("no registry is reached: images are made here")
        made = images.local()
        images.build_servers(found, images.SERVERS, clock.say)
    images.build_ours(found, made.python, clock.say)
    return made


@contextmanager
def started(composition: Composition, clock: Clock) -> Iterator[None]:
    """The whole project, healthy; its containers, networks and volumes are gone afterwards."""
    clock.say("compose up")
    try:
        composition.run("up", "-d", *HERE)
        composition.until_healthy(HERE)
        clock.say(f"all healthy: {' '.join(HERE)} (grafana needs a registry)")
        yield
    except ComposeError:
        for job in JOBS:
            CONSOLE.print(composition.log(job), markup=False)
        raise
    finally:
        composition.run("down", "--volumes", "--timeout", "20")
        clock.say("compose down: containers, networks and volumes are gone")


def looked_at(composition: Composition, secrets: Path) -> Iterator[str]:
    """What is softer than promised in any container."""
    for service in HERE:
        yield from hardness.weaknesses(composition, service)
        yield from hardness.told_secrets(composition, service, secrets)


def sent_through(
    composition: Composition, folder: Path, data: Path, clock: Clock, count: int
) -> Iterator[str]:
    """Two campaigns, the second with its dispatcher killed; what went wrong."""
    for turn, killed in enumerate((None, "dispatcher")):
        numbers = [f"+4915112{number:06d}" for number in range(turn * count, (turn + 1) * count)]
        file = folder / f"people-{turn}.csv"
        file.write_text("phone,name\n" + "".join(f"{one},N{one[-4:]}\n" for one in numbers))
        display = campaigns.Killing(CONSOLE, composition, killed)
        standing, took = asyncio.run(campaigns.sent(data, file, file.stem, display))
        book = folder / f"ledger-{turn}.jsonl"
        carrier = composition.container("carrier")
        composition.engine.run("cp", f"{carrier}:/var/lib/carillon/ledger.jsonl", str(book))
        yield from campaigns.mistakes(standing, numbers, campaigns.accepted(book))
        clock.say(
            f"campaign {turn + 1}: {standing.delivered} delivered + {standing.failed} failed "
            f"of {count}, {took:.1f} s"
        )
        if killed is None:
            continue
        if display.killed_at is None:
            yield f"{killed} was not killed: the campaign was over before"
        composition.until_healthy([killed])
        restarts = composition.inspect(killed)["RestartCount"]
        clock.say(f"{killed} was started again by the engine {restarts} times, and is healthy")
        if display.killed_at is not None and restarts < 1:
            yield f"{killed} was not started again by the engine"


def watched(composition: Composition) -> Iterator[str]:
    """Services that Prometheus does not reach, however often it looks."""
    end = time.monotonic() + SCRAPED_WITHIN_S  # one was killed a moment ago
    while (away := _unreached(composition)) and time.monotonic() < end:
        time.sleep(1)
    yield from (f"prometheus does not reach {service}" for service in away)


def _unreached(composition: Composition) -> list[str]:
    query = f"http://127.0.0.1:9090/api/v1/query?query={quote('up')}"
    found = json.loads(composition.ask("prometheus", "wget", "-q", "-O", "-", query))
    up = {row["metric"]["job"] for row in found["data"]["result"] if row["value"][1] == "1"}
    return [service for service in SERVICES if service not in up]


def sizes(composition: Composition, clock: Clock) -> None:
    """Say how large images are, and how much memory containers take."""
    running = {service: composition.inspect(service) for service in HERE}
    for image in sorted({one["Config"]["Image"] for one in running.values()}):
        size = int(composition.engine.run("image", "inspect", "--format", "{{.Size}}", image))
        clock.say(f"image {image}: {size / 1e6:.0f} MB")
    names = {one["Name"].removeprefix("/"): service for service, one in running.items()}
    lines = composition.engine.run(
        "stats", "--no-stream", "--format", "{{.Name}} {{.MemUsage}}", *names
    )
    for line in sorted(lines.splitlines()):
        name, _, usage = line.partition(" ")
        clock.say(f"memory {names[name]}: {usage}")


if __name__ == "__main__":
    main()
