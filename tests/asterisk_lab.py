"""Asterisk and a SIPp carrier for tests, in a root folder and a network of their own."""

import fcntl
import math
import os
import shutil
import socket
import struct
import subprocess
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

PARTS = Path(__file__).parents[1] / "deploy" / "simulators" / "asterisk"
PATIENCE_S = 20
BUILD_S = 600
ARI = "http://127.0.0.1:8088"
LEDGER = "messages.csv"
"""Every SIP message that the carrier received or sent, in its own words."""
_SET_FLAGS, _UP = 0x8914, 0x41  # SIOCSIFFLAGS, IFF_UP | IFF_RUNNING


class Lab:
    """Both programs, each with what it needs in one folder inside the root."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = root / "srv" / f"carillon-{uuid.uuid4().hex}"
        self._inside = f"/{self.folder.relative_to(root)}"
        self._asterisk: subprocess.Popen[bytes] | None = None

    def prepare(self) -> None:
        """Write configuration and audio."""
        for name in ("etc", "var", "run", "spool", "log"):
            (self.folder / name).mkdir(parents=True)
        for file in (PARTS / "etc").glob("*.conf"):
            shutil.copy(file, self.folder / "etc")
        (self.folder / "etc" / "asterisk.conf").write_text(self._directories())
        shutil.copy(PARTS / "carrier.xml", self.folder)
        word, pause, silence = _tone(0.4), _silence(0.15), _silence(6)
        (self.folder / "person.ul").write_bytes(_silence(0.3) + word + silence)
        (self.folder / "machine.ul").write_bytes((word + pause) * 20 + silence)

    def start_asterisk(self) -> None:
        """Start it and wait until ARI answers."""
        command = ("asterisk", "-f", "-C", f"{self._inside}/etc/asterisk.conf")
        self._asterisk = self._run("asterisk", command)
        give_up = time.monotonic() + PATIENCE_S
        while not _answers(f"{ARI}/ari/asterisk/ping"):
            assert self._asterisk.poll() is None, "Asterisk ended before it listened"
            assert time.monotonic() < give_up, "Asterisk did not listen"
            time.sleep(0.05)

    def kill_asterisk(self) -> None:
        """End it as a power cut would."""
        process, self._asterisk = self._asterisk, None
        if process is not None:
            process.kill()
            process.wait()

    @contextmanager
    def carrier(self) -> Iterator[None]:
        """SIPp answers calls inside the block."""
        sipp = "exec sipp -sf carrier.xml -i 127.0.0.1 -mi 127.0.0.1 -p 5080 -mp 30000 -nostdin"
        book = f"-trace_shortmsg -shortmessage_file {LEDGER}"
        process = self._run("sipp", ("sh", "-c", f"cd {self._inside} && {sipp} {book}"))
        try:
            yield
        finally:
            process.kill()
            process.wait()

    def _run(self, name: str, command: Iterable[str]) -> subprocess.Popen[bytes]:
        with (self.folder / f"{name}.out").open("ab") as output:
            return subprocess.Popen(
                ["chroot", str(self.root), *command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )

    def _directories(self) -> str:
        places = {"astetcdir": "etc", "astdbdir": "var", "astkeydir": "var", "astrundir": "run"}
        places |= {"astspooldir": "spool", "astlogdir": "log"}
        lines = [f"{key} => {self._inside}/{place}" for key, place in places.items()]
        modules = next((self.root / "usr" / "lib").glob("*/asterisk/modules"))
        lines += [
            f"astmoddir => /{modules.relative_to(self.root)}",
            "astvarlibdir => /usr/share/asterisk",
            "astdatadir => /usr/share/asterisk",
        ]
        return "[directories]\n" + "\n".join(lines) + "\n[options]\nmaxcalls = 2000\n"


@contextmanager
def running() -> Iterator[Lab]:
    """A lab in a network of its own; this thread is in that network inside the block."""
    lab = Lab(_root())
    with _private_network():
        try:
            lab.prepare()
            with lab.carrier():
                lab.start_asterisk()
                yield lab
        finally:
            lab.kill_asterisk()
            shutil.rmtree(lab.folder, ignore_errors=True)


def _root() -> Path:
    """The root folder, made on first use."""
    if os.geteuid() != 0:
        pytest.skip("needs to be root: a root folder and a network namespace of its own")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    given = os.environ.get("CARILLON_ASTERISK_ROOT")
    root = Path(given) if given else cache / "carillon" / "asterisk"
    root.parent.mkdir(parents=True, exist_ok=True)
    with root.with_name(f"{root.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (root / ".complete").exists():
            _build(root)
    return root


def _build(root: Path) -> None:
    if shutil.which("debootstrap") is None and shutil.which("apt-get") is None:
        pytest.skip("needs debootstrap, which is not here, nor apt-get to install it")
    shutil.rmtree(root, ignore_errors=True)
    built = subprocess.run(
        [str(PARTS / "build.sh"), str(root)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=BUILD_S,
        check=False,
    )
    if built.returncode:
        last = (built.stderr.strip() or built.stdout.strip()).splitlines()[-1:]
        pytest.skip(f"the root folder with Asterisk could not be made: {' '.join(last)}")


@contextmanager
def _private_network() -> Iterator[None]:
    """Move this thread, and what it starts, into a network that holds only loopback."""
    before = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        try:
            os.unshare(os.CLONE_NEWNET)
        except OSError as error:
            pytest.skip(f"needs a network namespace of its own: {error.strerror}")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
            request = struct.pack("16sH14x", b"lo", _UP)
            fcntl.ioctl(any_socket, _SET_FLAGS, request)
        yield
    finally:
        os.setns(before, os.CLONE_NEWNET)
        os.close(before)


def _answers(url: str) -> bool:
    login = urllib.request.HTTPPasswordMgrWithDefaultRealm()
    login.add_password(None, url, "carillon", "lab")
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPBasicAuthHandler(login)
    )
    try:
        with opener.open(url, timeout=1) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _tone(seconds: float) -> bytes:
    """Something as loud as a voice."""
    samples = range(int(8000 * seconds))
    return bytes(_mu_law(int(9000 * math.sin(2 * math.pi * 300 * n / 8000))) for n in samples)


def _silence(seconds: float) -> bytes:
    return b"\xff" * int(8000 * seconds)


def _mu_law(sample: int) -> int:
    """One sample by G.711."""
    loud = min(abs(sample), 32635) + 132
    exponent = loud.bit_length() - 8
    mantissa = loud >> (exponent + 3) & 0x0F
    return ~((0x80 if sample < 0 else 0) | exponent << 4 | mantissa) & 0xFF
