"""The carrier simulator as a process of a test's own."""

import json
import signal
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import forked
from forked import Forked


class Carrier:
    """A simulator that can be killed and started again, on the same port with the same ledger."""

    def __init__(self, folder: Path, config: str) -> None:
        self.config = folder / "smsc.toml"
        self.config.write_text(config, "utf-8")
        self.ledger = folder / "ledger.jsonl"
        self.port = 0
        self._process: Forked | subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it listens."""
        self._process, line = self._begun()
        assert line, "the simulator ended before it listened"
        self.port = json.loads(line)["port"]

    @property
    def pid(self) -> int:
        """The process that listens."""
        assert self._process is not None
        return self._process.pid

    def _begun(self) -> tuple[Forked | subprocess.Popen[bytes], bytes]:
        files = ("--config", str(self.config), "--ledger", str(self.ledger))
        return forked.first_line("smsc", *files, "--port", str(self.port))

    def kill(self) -> None:
        """End it without a warning."""
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """End it politely and tell its exit code."""
        return self._end(signal.SIGTERM)

    def lines(self, *events: str) -> list[dict[str, Any]]:
        """The ledger's lines of these events."""
        if not self.ledger.exists():
            return []
        with self.ledger.open("rb") as book:
            read = [json.loads(line) for line in book if line.endswith(b"\n")]
        return [line for line in read if line["event"] in events]

    def _end(self, number: signal.Signals) -> int:
        process, self._process = self._process, None
        if process is None:
            return 0
        process.send_signal(number)
        return process.wait(10)


class ForeignCarrier(Carrier, ABC):
    """The same handle on a program that is not ours."""

    @abstractmethod
    def command(self) -> list[str]:
        """What starts it."""

    def _begun(self) -> tuple[Forked | subprocess.Popen[bytes], bytes]:
        process = subprocess.Popen(self.command(), stdout=subprocess.PIPE)
        assert process.stdout is not None
        return process, process.stdout.readline()

    def _end(self, number: signal.Signals) -> int:
        process = self._process
        code = super()._end(number)
        if isinstance(process, subprocess.Popen) and process.stdout is not None:
            process.stdout.close()
        return code


@contextmanager
def running(folder: Path, config: str = "") -> Iterator[Carrier]:
    """A listening carrier that behaves as the configuration says."""
    carrier = Carrier(folder, config)
    carrier.start()
    try:
        yield carrier
    finally:
        carrier.kill()
