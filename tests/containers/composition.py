"""`deploy/compose.yml` with TLS at the edge, run by a real compose and the engine that is there."""

import json
import shutil
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from containers.engine import Engine, EngineError
from containers.images import ROOT

FILES = (ROOT / "deploy/compose.yml", ROOT / "deploy/compose.tls.yml")
JOBS = ("volumes", "prepare")
SERVERS = ("nats", "mongo", "prometheus")
SERVICES = ("campaign", "moderation", "dispatcher", "dialler", "read_model", "edge")
TRIED_OUT = ("carrier", "telephony", "issuer")
HERE = (*SERVERS, *SERVICES, *TRIED_OUT)  # without grafana, which comes from a registry only
PATIENCE_S = 300.0
LOOK_EVERY_S = 1.0


class NoComposeError(Exception):
    """There is no compose on this machine."""


class ComposeError(Exception):
    """Compose refused; the text is the end of what it said."""


def compose_program(engine: Engine) -> tuple[str, ...]:
    """The compose of this machine: the client's plugin, else the program of its own.

    Raises:
        NoComposeError: there is neither.
    """
    try:
        engine.run("compose", "version", "--short")
    except EngineError:
        if shutil.which("docker-compose") is None:
            raise NoComposeError(
                "Neither `docker compose` nor `docker-compose` is installed "
                "(Debian: docker-compose)."
            ) from None
        return ("docker-compose",)
    return ("docker", "compose")


@dataclass(frozen=True, slots=True)
class Composition:
    """One project of compose.yml."""

    engine: Engine
    program: Sequence[str]
    project: str
    settings: Mapping[str, str]

    def run(self, *arguments: str) -> str:
        """What compose answers.

        Raises:
            ComposeError: it ended with an error.
        """
        files = (part for file in FILES for part in ("-f", str(file)))
        done = subprocess.run(
            [*self.program, "-p", self.project, *files, "--profile", "try", *arguments],
            env={**self.engine.told, **self.settings},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            last = "\n".join((done.stdout + done.stderr).strip().splitlines()[-15:])
            raise ComposeError(f"compose {arguments[0]}: {last}")
        return done.stdout.strip()

    def container(self, service: str) -> str:
        """The id of the service's container.

        Raises:
            ComposeError: it has none.
        """
        labels = {"project": self.project, "service": service}
        filters = [f"--filter=label=com.docker.compose.{name}={of}" for name, of in labels.items()]
        found = self.engine.run("ps", "--all", "--quiet", "--no-trunc", *filters).split()
        if len(found) != 1:
            raise ComposeError(f"{service} has {len(found)} containers")
        return found[0]

    def inspect(self, service: str) -> dict[str, Any]:
        """Everything that the engine knows about the service's container."""
        found: list[dict[str, Any]] = json.loads(
            self.engine.run("container", "inspect", self.container(service))
        )
        return found[0]

    def ask(self, service: str, *command: str) -> str:
        """What a command inside the container answers."""
        return self.engine.run("exec", self.container(service), *command)

    def log(self, service: str) -> str:
        """The last lines of the container."""
        return self.run("logs", "--no-color", "--tail", "15", service)

    def until_healthy(self, services: Sequence[str]) -> None:
        """Return when all of them are.

        Raises:
            ComposeError: one is not in time, or has ended; with its last lines.
        """
        end = time.monotonic() + PATIENCE_S
        for service in services:
            while (state := self.health(service)) != "healthy":
                if time.monotonic() > end:
                    raise ComposeError(f"{service} is {state}:\n{self.log(service)}")
                time.sleep(LOOK_EVERY_S)

    def health(self, service: str) -> str:
        """What the engine says about it."""
        state = self.inspect(service)["State"]
        return str(state["Health"]["Status"] if state["Running"] else state["Status"])
