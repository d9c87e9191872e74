"""A container engine: the one that answers, else one of our own for as long as it is needed."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from signal import SIGTERM

PATIENCE_S = 60
DOCKERD = ("/usr/sbin/dockerd", "/usr/bin/dockerd", "/usr/local/bin/dockerd")


class NoEngineError(Exception):
    """There is no engine, and none can be started; the text says what is needed."""


class EngineError(Exception):
    """The engine refused; the text is what it said."""


@dataclass(frozen=True, slots=True)
class Engine:
    """Talks to a Docker engine through its own client."""

    host: str | None = None  # None: the client's own idea of where it is
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))

    @property
    def told(self) -> dict[str, str]:
        """The environment in which its client, and compose, find it."""
        # The engine that Debian has builds without BuildKit.
        told = {**self.environment, "DOCKER_BUILDKIT": "0"}
        return told if self.host is None else told | {"DOCKER_HOST": self.host}

    def run(self, *arguments: str, within: float | None = None) -> str:
        """What a command of the client answers.

        Raises:
            EngineError: it ended with an error, or not in time.
        """
        try:
            done = subprocess.run(
                ["docker", *arguments],
                env=self.told,
                capture_output=True,
                text=True,
                check=False,
                timeout=within,
            )
        except subprocess.TimeoutExpired as late:
            raise EngineError(f"docker {arguments[0]} took more than {within} s") from late
        if done.returncode:
            last = "\n".join((done.stdout + done.stderr).strip().splitlines()[-15:])
            raise EngineError(f"docker {' '.join(arguments[:2])}: {last}")
        return done.stdout.strip()

    def answers(self) -> bool:
        """Whether there is an engine at all."""
        try:
            self.run("version", "--format", "{{.Server.Version}}", within=10)
        except EngineError:
            return False
        return True

    def has(self, image: str) -> bool:
        """Whether the image is there."""
        try:
            self.run("image", "inspect", image)
        except EngineError:
            return False
        return True


@contextmanager
def engine() -> Iterator[Engine]:
    """The engine that DOCKER_HOST or the machine has; else a private one, ended at the end.

    Raises:
        NoEngineError: there is none, and this is not the place to start one.
    """
    if shutil.which("docker") is None:
        raise NoEngineError("The program `docker` is not installed (Debian: docker.io).")
    given = Engine()
    if given.answers():
        yield given
        return
    if "DOCKER_HOST" in os.environ:
        raise NoEngineError(f"Nothing answers at DOCKER_HOST={os.environ['DOCKER_HOST']}.")
    program = next((path for path in DOCKERD if Path(path).is_file()), None)
    if os.geteuid() != 0 or program is None:
        raise NoEngineError(
            "No container engine answers. Start one, or let somebody who is root do this where "
            "dockerd is installed (Debian: docker.io): then a private one is started."
        )
    with _private(program) as private:
        yield private


@contextmanager
def _private(program: str) -> Iterator[Engine]:
    """An engine with its data in a folder of its own, which is removed with it."""
    folder = Path(tempfile.mkdtemp(prefix="carillon-engine-"))
    address = f"unix://{folder}/docker.sock"
    command = [
        *(program, "--data-root", str(folder / "data"), "--exec-root", str(folder / "exec")),
        *("--host", address, "--pidfile", str(folder / "pid")),
    ]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        _until_it_answers(process, Engine(address), folder / "log")
        yield Engine(address)
    finally:
        process.send_signal(SIGTERM)
        process.wait(PATIENCE_S)
        _unmount_below(folder)
        shutil.rmtree(folder, ignore_errors=True)


def _unmount_below(folder: Path) -> None:
    """Let go of what dockerd leaves mounted: the network of containers that have none."""
    mounts = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
    for place in sorted((one for one in mounts if Path(one).is_relative_to(folder)), reverse=True):
        subprocess.run(["umount", place], check=False)


def _until_it_answers(process: subprocess.Popen[bytes], private: Engine, log: Path) -> None:
    end = time.monotonic() + PATIENCE_S
    while not private.answers():
        if process.poll() is not None or time.monotonic() > end:
            last = "\n".join(log.read_text(errors="replace").splitlines()[-5:])
            raise NoEngineError(f"dockerd did not start:\n{last}")
        time.sleep(0.2)
