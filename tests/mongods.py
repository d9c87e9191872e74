"""A mongod of a test's own, that goes away and comes back."""

import asyncio
import signal
import subprocess
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import servers
from contained import Contained


class Mongod:
    """A replica set of one; `with` ends it, whatever state it is in."""

    def __init__(self, folder: Path) -> None:
        self.port = servers.free_port()
        self.url = f"mongodb://127.0.0.1:{self.port}/?replicaSet=test"
        self._folder = folder
        self._server: Process | Contained | None = None
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
        if isinstance(self._server, Contained):
            self._server.start_again()
            return
        server = self._ending.enter_context(servers.mongod_process(self._folder, self.port))
        self._server = server if isinstance(server, Contained) else Process(server)

    def kill(self) -> None:
        """End it as a power cut does."""
        assert self._server is not None
        self._server.kill()

    async def back(self) -> None:
        """Start it, and return when it takes writes."""
        self.start()
        await asyncio.to_thread(servers.until_primary, self.port)

    def stand_still(self) -> None:
        """It is there and says nothing."""
        assert self._server is not None
        self._server.stand_still()

    def go_on(self) -> None:
        assert self._server is not None
        self._server.go_on()


@dataclass(frozen=True)
class Process:
    """A server that is a process of ours, with what a container can do too."""

    process: subprocess.Popen[bytes]

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def stand_still(self) -> None:
        self._send(signal.SIGSTOP)

    def go_on(self) -> None:
        self._send(signal.SIGCONT)

    def _send(self, number: signal.Signals) -> None:
        if self.process.poll() is None:
            self.process.send_signal(number)
