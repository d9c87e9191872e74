"""Test servers in containers, by `testcontainers`: with CARILLON_TEST_SERVERS=containers.

Each is reached at the port of this machine at which an embedded one would be. NATS_IMAGE and
MONGO_IMAGE name the images; `make test-containers` makes them where no registry is reached.
"""

import os
import time
from pathlib import Path
from typing import Self

CHOICES = ("embedded", "containers")
NATS_IMAGE = "nats:2.15-alpine"
MONGO_IMAGE = "mongo:6.0"
PATIENCE_S = 25


def wanted() -> bool:
    """Whether servers run in containers."""
    choice = os.environ.get("CARILLON_TEST_SERVERS", CHOICES[0])
    if choice not in CHOICES:
        raise ValueError(f"CARILLON_TEST_SERVERS is one of {', '.join(CHOICES)}, not {choice}")
    return choice == "containers"


class Contained:
    """A server in a container; `with` ends it, whatever state it is in."""

    def __init__(self, image: str, command: list[str], port: int, log: Path, *, says: str) -> None:
        """`says` is what its log has when it takes connections; the port answers too early."""
        # Half a second that embedded servers need not wait for.
        from testcontainers.core.config import testcontainers_config  # noqa: PLC0415
        from testcontainers.core.container import DockerContainer  # noqa: PLC0415

        # Whoever reaps containers of killed test runs would need an image of its own.
        testcontainers_config.ryuk_disabled = True
        self._container = DockerContainer(image).with_command(command)
        # The engine's library takes an address too; on every address would be too many.
        self._container.ports = {str(port): ("127.0.0.1", port)}  # type: ignore[dict-item]
        self._log, self._says = log, says

    def mounted(self, file: Path, place: str) -> "Contained":
        """With a file of this machine in it."""
        self._container.with_volume_mapping(str(file), place, "ro")
        return self

    def __enter__(self) -> Self:
        self._container.start()
        self._until_it_says(1)
        return self

    def __exit__(self, *_: object) -> None:
        self._log.write_bytes(b"".join(self._container.get_logs()))
        self._container.stop(force=True)

    def start_again(self) -> None:
        """Go on after a kill, with the same data."""
        said = self._said()
        self._container.get_wrapped_container().start()
        self._until_it_says(said + 1)

    def kill(self) -> None:
        """End it as a power cut does."""
        self._container.get_wrapped_container().kill()

    def stand_still(self) -> None:
        """It is there and says nothing."""
        self._container.get_wrapped_container().pause()

    def go_on(self) -> None:
        """After it stood still, or did not."""
        container = self._container.get_wrapped_container()
        container.reload()
        if container.status == "paused":
            container.unpause()

    def _until_it_says(self, times: int) -> None:
        end = time.monotonic() + PATIENCE_S
        while self._said() < times:
            if time.monotonic() > end:
                raise TimeoutError(f"the container did not say {self._says!r}")
            time.sleep(0.05)

    def _said(self) -> int:
        return b"".join(self._container.get_logs()).count(self._says.encode())


def nats_server(config: Path, port: int) -> Contained:
    """A nats-server with this configuration."""
    image = os.environ.get("NATS_IMAGE", NATS_IMAGE)
    command = ["nats-server", "-c", "/carillon/nats.json"]
    log = config.with_name("nats.log")
    server = Contained(image, command, port, log, says="Server is ready")
    return server.mounted(config, "/carillon/nats.json")


def mongod(options: list[str], port: int, log: Path) -> Contained:
    """A mongod with these options."""
    image = os.environ.get("MONGO_IMAGE", MONGO_IMAGE)
    return Contained(image, ["mongod", *options], port, log, says="Waiting for connections")
