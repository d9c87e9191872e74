"""A mongod of a test's own, that goes away and comes back."""

import asyncio
import signal
import subprocess
from contextlib import ExitStack
from pathlib import Path
from typing import Self

import servers


class Mongod:
    """A replica set of one; `with` ends it, whatever state it is in."""

    def __init__(self, folder: Path) -> None:
        self.port = servers.free_port()
        self.url = f"mongodb://127.0.0.1:{self.port}/?replicaSet=test"
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._ending = ExitStack()

    def __enter__(self) -> Self:
        self._folder.mkdir(exist_ok=True)
        self.start()
        servers.initiate(self.port)
        return self

    def __exit__(self, *_: object) -> None:
        self.go_on()
        self._ending.close()

    def start(self) -> None:
        command = servers.mongod_command(self._folder, self.port)
        context = servers.running(command, self._folder / "mongod.log")
        self._process = self._ending.enter_context(context)

    def kill(self) -> None:
        """End it as a power cut does."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    async def back(self) -> None:
        """Start it, and return when it takes writes."""
        self.start()
        await asyncio.to_thread(servers.until_primary, self.port)

    def stand_still(self) -> None:
        """It is there and says nothing."""
        self._send(signal.SIGSTOP)

    def go_on(self) -> None:
        self._send(signal.SIGCONT)

    def _send(self, number: signal.Signals) -> None:
        assert self._process is not None
        if self._process.poll() is None:
            self._process.send_signal(number)
