"""What is missing on this machine, and what to do about it."""

import asyncio
import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

import httpx
from rich.console import Console
from rich.table import Table

from carillon.asking import asking
from carillon.servers import binaries
from carillon.servers.binaries import Binary, MissingBinaryError
from carillon.servers.edge import DEFAULT_PORT
from carillon.servers.ports import NoFreePortError, Ports, is_free
from carillon.services import (
    SERVICES,
    MissingPartError,
    bundled_carrier_config,
    bundled_telephony,
    package_folder,
)
from carillon.stack_file import NoStackError, read_stack_file

NEEDED_PYTHON = (3, 12)
NEEDED_DISK_GB = 5
NEEDED_MEMORY_GB = 2
SLOW_FSYNC_MS = 5.0
FSYNC_SAMPLES = 50


class Verdict(StrEnum):
    """How bad a finding is."""

    FINE = "fine"
    WARNING = "warning"
    FATAL = "missing"


COLOURS = {Verdict.FINE: "green", Verdict.WARNING: "yellow", Verdict.FATAL: "red"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    what: str
    verdict: Verdict
    seen: str
    remedy: str = ""

    @property
    def is_fatal(self) -> bool:
        """Whether the platform cannot run like this."""
        return self.verdict is Verdict.FATAL


async def examine(data: Path) -> list[Finding]:
    """Look at everything that the platform needs on this machine."""
    folder = _nearest_existing(data.absolute())
    return [
        _python(),
        *(_server(binary) for binary in binaries.ALL),
        _own_parts(),
        _ports(data),
        _writable(folder, data),
        _disk(folder),
        _fsync(folder),
        _memory(),
        _audit(data / "audit"),
        await _running(data),
    ]


def show(findings: Iterable[Finding], console: Console) -> None:
    """Print the findings as a table."""
    table = Table(title="carillon doctor", title_justify="left")
    for column in ("what", "state", "seen", "what to do"):
        table.add_column(column, overflow="fold")
    for finding in findings:
        state = f"[{COLOURS[finding.verdict]}]{finding.verdict}[/]"
        table.add_row(finding.what, state, finding.seen, finding.remedy)
    console.print(table)


def _python() -> Finding:
    seen = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info[:2] < NEEDED_PYTHON:
        return Finding("Python", Verdict.FATAL, seen, "install Python 3.12, then `make install`")
    return Finding("Python", Verdict.FINE, seen)


def _server(binary: Binary) -> Finding:
    try:
        was_runnable = os.access(binary.path() or "", os.X_OK)
        version = binary.version()
    except MissingBinaryError as error:
        return Finding(binary.name, Verdict.FATAL, "not found", str(error))
    except (OSError, subprocess.SubprocessError) as error:
        return Finding(binary.name, Verdict.FATAL, _last_words(error), _libraries(binary))
    seen = version if was_runnable else f"{version} (its run bit was missing and has been set)"
    return Finding(binary.name, Verdict.FINE, seen)


def _last_words(error: OSError | subprocess.SubprocessError) -> str:
    if isinstance(error, subprocess.CalledProcessError) and error.stderr:
        return str(error.stderr).strip().splitlines()[-1]
    return str(error)


def _libraries(binary: Binary) -> str:
    """Which shared libraries the program misses, and what brings them."""
    path = binary.path()
    ldd = shutil.which("ldd")
    if path is None or ldd is None:
        return "this program does not run on this machine"
    listing = subprocess.run([ldd, path], capture_output=True, text=True, check=False).stdout
    missing = [line.split()[0] for line in listing.splitlines() if "not found" in line]
    if not missing:
        return "this program was not made for this processor or system"
    return (
        f"it misses {', '.join(missing)}; on Debian 12 and Ubuntu 22.04: "
        "apt-get install libcurl4 libssl3 liblzma5"
    )


def _own_parts() -> Finding:
    missing = []
    for package in SERVICES:
        try:
            package_folder(package)
        except MissingPartError:
            missing.append(package)
    for part, find in (("smsc", bundled_carrier_config), ("phones", bundled_telephony)):
        try:
            find()
        except MissingPartError:
            missing.append(part)
    if missing:
        return Finding(
            "Carillon's parts", Verdict.FATAL, f"no {', '.join(missing)}", "make install"
        )
    return Finding("Carillon's parts", Verdict.FINE, f"{', '.join(SERVICES)}, smsc, phones")


def _ports(data: Path) -> Finding:
    try:
        Ports(data / "ports.json").take("doctor")
    except NoFreePortError as error:
        return Finding("ports", Verdict.FATAL, str(error), "end what occupies them")
    if is_free(DEFAULT_PORT):
        return Finding("ports", Verdict.FINE, f"{DEFAULT_PORT} is free for the edge")
    seen = f"{DEFAULT_PORT} is taken"
    return Finding("ports", Verdict.WARNING, seen, "the edge takes a free one, or use --port")


def _nearest_existing(folder: Path) -> Path:
    return next(place for place in (folder, *folder.parents) if place.exists())


def _writable(folder: Path, data: Path) -> Finding:
    if folder.is_dir() and os.access(folder, os.W_OK | os.X_OK):
        return Finding("data folder", Verdict.FINE, str(data))
    return Finding("data folder", Verdict.FATAL, f"{folder} cannot be written", "choose --data")


def _disk(folder: Path) -> Finding:
    free = shutil.disk_usage(folder).free / 1024**3
    seen = f"{free:.1f} GB free"
    if free < 1:
        return Finding("disk space", Verdict.FATAL, seen, "make room, or choose --data elsewhere")
    if free < NEEDED_DISK_GB:
        return Finding("disk space", Verdict.WARNING, seen, "the log and MongoDB only grow")
    return Finding("disk space", Verdict.FINE, seen)


def _fsync(folder: Path) -> Finding:
    """How long one durable write takes: it bounds the rate of single events."""
    try:
        with tempfile.TemporaryFile(dir=folder if folder.is_dir() else folder.parent) as file:
            took = sorted(_one_fsync(file.fileno()) for _ in range(FSYNC_SAMPLES))
    except OSError as error:
        return Finding("fsync", Verdict.FATAL, str(error), "choose --data on a disk that works")
    median = took[len(took) // 2] * 1000
    seen = f"{median:.2f} ms median, {took[-1] * 1000:.1f} ms worst of {FSYNC_SAMPLES}"
    if median > SLOW_FSYNC_MS:
        return Finding("fsync", Verdict.WARNING, seen, "use a faster disk: each event waits for it")
    return Finding("fsync", Verdict.FINE, seen)


def _one_fsync(handle: int) -> float:
    began = time.perf_counter()
    os.write(handle, b"x" * 4096)
    os.fsync(handle)
    return time.perf_counter() - began


def _memory() -> Finding:
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except FileNotFoundError:
        return Finding("memory", Verdict.FINE, "not known on this system")
    available = next(int(line.split()[1]) for line in lines if line.startswith("MemAvailable"))
    free = available / 1024**2
    seen = f"{free:.1f} GB available"
    if free < NEEDED_MEMORY_GB:
        return Finding("memory", Verdict.WARNING, seen, "end other programs: about 2 GB are used")
    return Finding("memory", Verdict.FINE, seen)


def _audit(folder: Path) -> Finding:
    """What waits for MongoDB on this disk."""
    waiting = sum(file.stat().st_size for file in folder.glob("*.jsonl"))
    if waiting == 0:
        return Finding("audit trail", Verdict.FINE, "nothing waits for MongoDB")
    seen = f"{waiting} bytes of records wait for MongoDB"
    remedy = "they are read in by themselves while the platform and MongoDB run"
    return Finding("audit trail", Verdict.WARNING, seen, remedy)


async def _running(data: Path) -> Finding:
    try:
        stack = read_stack_file(data)
    except NoStackError:
        return Finding("running platform", Verdict.FINE, "none here", f"carillon up --data {data}")
    down = [name for name, place in stack.services.items() if not await _answers(name, place.url)]
    if down:
        remedy = f"see the logs in {data / 'logs'}"
        return Finding("running platform", Verdict.WARNING, f"silent: {', '.join(down)}", remedy)
    return Finding("running platform", Verdict.FINE, f"all of it answers at {stack.url}")


async def _answers(name: str, url: str) -> bool:
    address = urlsplit(url)
    if address.scheme != "http":
        return await _listens(address.hostname or "127.0.0.1", address.port or 0)
    path = "/readyz" if name in SERVICES else "/"
    try:
        async with asking(3) as client:
            answer = await client.get(url + path)
    except httpx.TransportError:
        return False
    return not answer.is_server_error


async def _listens(host: str, port: int) -> bool:
    try:
        async with asyncio.timeout(3):
            _, writer = await asyncio.open_connection(host, port)
    except (OSError, TimeoutError):
        return False
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return True
