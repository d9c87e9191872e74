"""Free ports, kept from one start to the next."""

import contextlib
import json
import random
import socket
from pathlib import Path

from carillon.errors import PlainError
from carillon.files import write_atomically

# Below the range from which the kernel takes ports for outgoing connections: a restarted process
# finds its port free again.
LOWEST, HIGHEST = 20_000, 32_000
ATTEMPTS = 200


class NoFreePortError(PlainError):
    """No port could be had on 127.0.0.1."""


def is_free(port: int) -> bool:
    """Whether a server could listen on 127.0.0.1 with this port now."""
    with contextlib.closing(socket.socket(socket.AF_INET, socket.SOCK_STREAM)) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


class Ports:
    """One port for each name, the same as at the last start when it is still free."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._last = _read(file)
        self._given: dict[str, int] = {}

    def take(self, name: str) -> int:
        """The port for this name, free at this moment.

        Raises:
            NoFreePortError: nothing was free.
        """
        last = self._last.get(name)
        port = last if last is not None and self._usable(last) else self._search()
        self._given[name] = port
        return port

    def save(self) -> None:
        """Keep the ports for the next start."""
        write_atomically(self._file, json.dumps(self._last | self._given, indent=2) + "\n")

    def _usable(self, port: int) -> bool:
        return port not in self._given.values() and is_free(port)

    def _search(self) -> int:
        taken = set(self._last.values())
        for _ in range(ATTEMPTS):
            port = random.randrange(LOWEST, HIGHEST)  # noqa: S311 - no secret, only a free number
            if port not in taken and self._usable(port):
                return port
        raise NoFreePortError(f"no free port between {LOWEST} and {HIGHEST} on 127.0.0.1")


def _read(file: Path) -> dict[str, int]:
    try:
        found = json.loads(file.read_text())
    except (FileNotFoundError, ValueError):
        return {}
    return {str(name): int(port) for name, port in found.items()}
