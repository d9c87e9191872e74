"""The phone network simulator as a process of a test's own."""

import json
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import forked
from forked import Forked


class Phones:
    """A simulator that can be killed and started again, on the same port with the same ledger."""

    def __init__(self, folder: Path, **behaviour: object) -> None:
        self.config = folder / "telephony.toml"
        self.ledger = folder / "calls.jsonl"
        self.port = 0
        self._behaviour = behaviour
        self._process: Forked | None = None

    def start(self) -> None:
        """Start it and wait until it listens."""
        self.config.write_text(_table({"id": "sim", "type": "simulator", **self._behaviour}))
        files = ("--config", str(self.config), "--ledger", str(self.ledger))
        self._process, line = forked.first_line("phones", *files, "--port", str(self.port))
        assert line, "the simulator ended before it listened"
        self.port = json.loads(line)["port"]

    def kill(self) -> None:
        """End it as a power cut would."""
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """End it politely and tell its exit code."""
        return self._end(signal.SIGTERM)

    def lines(self, *events: str) -> list[dict[str, Any]]:
        """The ledger's lines of these events."""
        if not self.ledger.exists():
            return []
        whole = (line for line in self.ledger.read_text("utf-8").splitlines() if line[-1:] == "}")
        read = [json.loads(line) for line in whole]
        return [line for line in read if line["event"] in events]

    def _end(self, number: signal.Signals) -> int:
        process, self._process = self._process, None
        if process is None:
            return 0
        process.send_signal(number)
        return process.wait(10)


def rung_twice_at_once(ended: list[dict[str, Any]]) -> set[str]:
    """The phones of which two calls lived at the same time."""
    until: dict[str, float] = {}
    found: set[str] = set()
    for line in sorted(ended, key=lambda line: line["dialled_at"]):
        if line["dialled_at"] < until.get(line["phone"], 0):
            found.add(line["phone"])
        until[line["phone"]] = max(line["at"], until.get(line["phone"], 0))
    return found


@contextmanager
def running(folder: Path, **behaviour: object) -> Iterator[Phones]:
    """A listening phone network that behaves like this."""
    phones = Phones(folder, **behaviour)
    phones.start()
    try:
        yield phones
    finally:
        phones.kill()


def _table(values: dict[str, object]) -> str:
    return "[[telephony]]\n" + "".join(f"{key} = {_value(v)}\n" for key, v in values.items())


def _value(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f'"{key}" = {_value(one)}' for key, one in value.items()) + "}"
    return json.dumps(value)
