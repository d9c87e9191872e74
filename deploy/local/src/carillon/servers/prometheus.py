"""A Prometheus of our own beside a running platform: Debian's program, on 127.0.0.1."""

import json
import math
import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from carillon.errors import PlainError
from carillon.servers.binaries import Binary
from carillon.servers.ports import Ports
from carillon.services import SERVICES
from carillon.stack_file import StackFile
from carillon.supervisor import Program, Supervised
from carillon.watch.boards import RULES

DEBIAN_PACKAGE = "prometheus"
SCRAPE_S = 1
WINDOW = "15s"
"""What rates are taken over: several scrapes, and soon over."""
METRIC = re.compile(r"\b(?:carillon|process|python)_\w+|\bup\b")


class NoPrometheusError(PlainError):
    """The program is not on this machine; the text says how to get it."""


@dataclass(frozen=True, slots=True)
class Rule:
    """An alert as Prometheus has loaded it."""

    name: str
    query: str
    state: str
    health: str
    trouble: str


@dataclass(frozen=True, slots=True)
class Prometheus:
    """A running Prometheus, asked over HTTP."""

    http: httpx.AsyncClient

    async def values(self, expression: str) -> list[float]:
        """What an expression gives now: one number per line, without those that are none.

        Raises:
            BadExpressionError: Prometheus cannot evaluate it.

        """
        answer = await self.http.post("/api/v1/query", data={"query": expression})
        body = answer.json()
        if body["status"] != "success":
            raise BadExpressionError(f"{expression}: {body.get('error')}")
        numbers = [float(one["value"][1]) for one in body["data"]["result"]]
        return [number for number in numbers if not math.isnan(number)]

    async def metrics(self) -> set[str]:
        """The names of everything that was ever scraped."""
        answer = await self.http.get("/api/v1/label/__name__/values")
        return set(answer.raise_for_status().json()["data"])

    async def rules(self) -> list[Rule]:
        """All alerts, with what has become of them."""
        answer = await self.http.get("/api/v1/rules", params={"type": "alert"})
        groups = answer.raise_for_status().json()["data"]["groups"]
        return [_rule(rule) for group in groups for rule in group["rules"]]


class BadExpressionError(PlainError):
    """Prometheus says that an expression is none."""


def mentioned(expression: str) -> set[str]:
    """The names of the metrics that an expression is made of."""
    return set(METRIC.findall(re.sub(r'"[^"]*"', "", expression)))


@asynccontextmanager
async def running_prometheus(
    stack: StackFile, folder: Path, narrate: Callable[[str], None], rules: Path = RULES
) -> AsyncIterator[Prometheus]:
    """Scrape this platform once a second while the block runs; the folder holds what was seen.

    Raises:
        NoPrometheusError: the program is not on this machine.
        NotReadyError: it did not start.

    """
    executable = program()
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "prometheus.json"  # JSON is YAML too
    config.write_text(json.dumps(configuration(stack, rules), indent=1))
    port = Ports(folder / "ports.json").take("prometheus")
    url = f"http://127.0.0.1:{port}"
    async with httpx.AsyncClient(base_url=url, timeout=10) as http:

        async def is_ready() -> bool:
            try:
                return (await http.get("/-/ready")).is_success
            except httpx.TransportError:
                return False

        command = (
            *(str(executable), f"--config.file={config}", f"--storage.tsdb.path={folder / 'seen'}"),
            *(f"--web.listen-address=127.0.0.1:{port}", "--log.level=warn"),
        )
        log = folder / "prometheus.log"
        supervised = Supervised(
            Program("prometheus", command, url, log, folder, is_ready),
            lambda what: narrate(f"prometheus {what}"),
        )
        await supervised.start()
        try:
            yield Prometheus(http)
        finally:
            await supervised.stop()


def configuration(stack: StackFile, rules: Path) -> Mapping[str, Any]:
    """The jobs of `deploy/prometheus/prometheus.yml`, at the addresses of this machine."""
    return {
        "global": {"scrape_interval": f"{SCRAPE_S}s", "evaluation_interval": f"{SCRAPE_S}s"},
        "rule_files": [str(rules)],
        "scrape_configs": [
            {"job_name": name, "static_configs": [{"targets": _targets(stack, name)}]}
            for name in SERVICES
        ],
    }


def _targets(stack: StackFile, service: str) -> list[str]:
    """Where the processes of a service are: `dispatcher`, `dispatcher-2` and so on."""
    return [
        place.url.removeprefix("http://")
        for name, place in stack.services.items()
        if name.partition("-")[0] == service
    ]


def program(name: str = "prometheus") -> Path:
    """Where a program of Debian's package is: `prometheus` or `promtool`.

    Raises:
        NoPrometheusError: it is not on this machine.

    """
    found = Binary(name, DEBIAN_PACKAGE).path()
    if found is None:
        raise NoPrometheusError(
            f"{name} was not found on this machine. On Debian and Ubuntu: `make prometheus`, or "
            f"`apt-get install --no-install-recommends {DEBIAN_PACKAGE}`. Elsewhere: put "
            "Prometheus' programs on the PATH."
        )
    return found


def _rule(rule: Mapping[str, Any]) -> Rule:
    return Rule(
        rule["name"], rule["query"], rule["state"], rule["health"], rule.get("lastError", "")
    )
