"""Our own programs as processes of a test's own, without each importing everything again.

Most of what `python -m dispatcher` costs is imports: a second of processor time at each of hundreds
of starts. So a process per program has imported it, and forks one for each start. That one has
arguments, environment, output, pid and exit code of its own, and runs as `python -m` would.
"""

import asyncio
import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

COMMAND_LINE = "carillon"
"""Not a program of a package: a script that stands beside Python."""
COMMANDS = (
    *("cli", "backup.taking", "backup.restoring", "log.tasks"),
    *("ops.erase", "ops.migrate", "ops.parked", "ops.projections"),
)
"""What it imports, some of it only for the command that needs it."""
MOST = 2**20
LOOK_S = 0.05


class Forked:
    """A started program: what tests use of `subprocess.Popen`."""

    def __init__(self, mother: "Mother", pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._mother = mother

    def poll(self) -> int | None:
        """The exit code, if it has ended."""
        if self.returncode is None:
            self.returncode = self._mother.exit_code(self.pid, 0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """The exit code, once it has ended.

        Raises:
            subprocess.TimeoutExpired: it has not in that many seconds.
        """
        until = None if timeout is None else time.monotonic() + timeout
        while self.returncode is None:
            if timeout is not None and until is not None and time.monotonic() > until:
                raise subprocess.TimeoutExpired(str(self.pid), timeout)
            self.returncode = self._mother.exit_code(self.pid, LOOK_S)
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send it a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


@dataclass
class Mother:
    """The process that has imported a program, seen from the tests."""

    process: subprocess.Popen[bytes]
    door: socket.socket
    _ends: dict[int, int] = field(default_factory=dict)
    _asking: threading.Lock = field(default_factory=threading.Lock)

    def start(
        self, arguments: Sequence[str], environment: Mapping[str, str], output: int, errors: int
    ) -> Forked:
        """Start the program; `output` and `errors` are what it writes to."""
        order = {
            "arguments": arguments,
            "environment": dict(environment),
            "folder": str(Path.cwd()),
        }
        with self._asking:
            socket.send_fds(self.door, [json.dumps(order).encode()], [output, errors])
            while "started" not in (told := self._told()):
                self._ends[told["pid"]] = told["code"]
        return Forked(self, told["started"])

    def exit_code(self, pid: int, within_s: float) -> int | None:
        """With what it ended, if it has by then."""
        with self._asking:
            while pid not in self._ends and select.select([self.door], [], [], within_s)[0]:
                told = self._told()
                self._ends[told["pid"]] = told["code"]
            return self._ends.pop(pid, None)

    def _told(self) -> dict[str, Any]:
        told = self.door.recv(MOST)
        assert told, f"{self.process.args!r} ended"
        return dict(json.loads(told))

    def close(self) -> None:
        self.door.close()
        self.process.wait()


def start(
    program: str,
    environment: Mapping[str, str],
    output: int,
    errors: int,
    arguments: Sequence[str] = (),
) -> Forked:
    """Start one of our programs, as `python -m` does."""
    return _mother_of(program).start(arguments, environment, output, errors)


def first_line(program: str, *arguments: str) -> tuple[Forked, bytes]:
    """Start a program of which only the first line is of interest, and wait for that."""
    read, write = os.pipe()
    with os.fdopen(read, "rb") as said:
        with os.fdopen(write, "wb"):
            process = start(program, os.environ, write, 2, arguments)
        return process, said.readline()


async def said(*arguments: str, environment: Mapping[str, str]) -> tuple[int, str, str]:
    """Run `carillon` with these arguments to its end: exit code, output and errors."""
    with TemporaryFile("w+") as output, TemporaryFile("w+") as errors:
        numbers = output.fileno(), errors.fileno()
        process = await asyncio.to_thread(start, COMMAND_LINE, environment, *numbers, arguments)
        code = await asyncio.to_thread(process.wait)
        told = [file.read() for file in (output, errors) if file.seek(0) == 0]
    return code, told[0], told[1]


def close() -> None:
    """Let go of everything that was imported for later starts."""
    while _MOTHERS:
        _MOTHERS.pop().close()


_MOTHERS: list[Mother] = []


@cache
def _mother_of(program: str) -> Mother:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        command = [sys.executable, __file__, program, str(theirs.fileno())]
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()], start_new_session=True
        )
    _MOTHERS.append(mother := Mother(process, ours))
    return mother


def _bear(program: str, door: socket.socket) -> list[str] | None:
    """Fork whenever that is asked for; return in each child, and at the end."""
    if program == COMMAND_LINE:
        for part in COMMANDS:
            importlib.import_module(f"{program}.{part}")
    else:
        importlib.import_module(f"{program}.__main__")
        del sys.modules[f"{program}.__main__"]  # each child runs it
    assert threading.active_count() == 1
    gc.collect()
    gc.freeze()
    woken, wakes = socket.socketpair()
    wakes.setblocking(False)
    signal.set_wakeup_fd(wakes.fileno())
    signal.signal(signal.SIGCHLD, lambda *_: None)
    while True:
        ready, _, _ = select.select([door, woken], [], [])
        if woken in ready:
            woken.recv(1024)
            _tell_ends(door)
        if door in ready:
            order, files, _, _ = socket.recv_fds(door, MOST, 2)
            if not order:
                return None
            if (child := os.fork()) == 0:
                signal.set_wakeup_fd(-1)
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                for one in (door, woken, wakes):
                    one.close()
                return _become(json.loads(order), *files)
            for file in files:
                os.close(file)
            door.send(json.dumps({"started": child}).encode())


def _tell_ends(door: socket.socket) -> None:
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        end = {"pid": pid, "code": os.waitstatus_to_exitcode(status)}
        door.send(json.dumps(end).encode())


def _become(order: dict[str, Any], output: int, errors: int) -> list[str]:
    os.dup2(output, 1)
    os.dup2(errors, 2)
    os.close(output)
    os.close(errors)
    os.chdir(order["folder"])
    os.environ.clear()
    os.environ.update(order["environment"])
    return list(order["arguments"])


if __name__ == "__main__":
    module = sys.argv[1]
    sys.path.pop(0)  # the folder of this file, of which `python -m` knows nothing
    given = _bear(module, socket.socket(fileno=int(sys.argv[2])))
    if given is not None:
        script = Path(sys.executable).with_name(module)
        sys.argv = [str(script), *given]
        if module == COMMAND_LINE:
            runpy.run_path(str(script), run_name="__main__")
        else:
            runpy.run_module(module, run_name="__main__", alter_sys=True)
