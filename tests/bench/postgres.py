"""PostgreSQL for what Carillon is measured beside: a server of its own below a folder.

The programs are Debian's, installed on this machine or else unpacked beside its Python. They refuse
to run as root, so root runs them as `nobody`.
"""

import os
import pwd
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from bench.debian import Package

INSTALLED = Path("/usr/lib/postgresql/15/bin")
UNPACKED = Package(
    "postgresql-15",
    (
        *("postgresql-client-15", "libpq5", "libxml2", "libicu72", "libldap-2.5-0", "libsasl2-2"),
        *("libgssapi-krb5-2", "libkrb5-3", "libk5crypto3", "libkrb5support0", "libkeyutils1"),
    ),
)
USER = "nobody"
"""Whose processes they are when root starts them."""
DURABLE = "fsync=on, synchronous_commit=on, everything else as PostgreSQL has it by default"


def version() -> str:
    """Return what the server calls itself."""
    answer = subprocess.run(
        [_program("postgres"), "--version"],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | UNPACKED.environment,
    )
    return answer.stdout.strip()


@contextmanager
def postgres(folder: Path) -> Iterator[Mapping[str, str]]:
    """A server on a free port of 127.0.0.1; gives what `eventsourcing` asks for to connect."""
    if os.geteuid() == 0:
        folder.parent.chmod(0o711)  # a temporary folder is its owner's alone
    data, sockets = folder / "data", folder / "sockets"
    for made in (folder, data, sockets):
        made.mkdir(exist_ok=True)
        _give(made)
    options = ("--auth=trust", "--username=bench", "--encoding=UTF8", "--no-locale", "--no-sync")
    _run("initdb", "--pgdata", str(data), *options)
    port = _free_port()
    settings = (
        f"-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories={sockets} "
        "-c fsync=on -c synchronous_commit=on"
    )
    log = str(data / "server.log")
    _run("pg_ctl", "--pgdata", str(data), "--wait", "--log", log, "--options", settings, "start")
    try:
        yield {
            "POSTGRES_DBNAME": "postgres",
            "POSTGRES_HOST": "127.0.0.1",
            "POSTGRES_PORT": str(port),
            "POSTGRES_USER": "bench",
            "POSTGRES_PASSWORD": "trusted",
        }
    finally:
        _run("pg_ctl", "--pgdata", str(data), "--wait", "--mode", "fast", "stop")


def _program(name: str) -> str:
    """Return where a program is."""
    if (INSTALLED / name).exists():
        return str(INSTALLED / name)
    return str(UNPACKED.unpacked() / INSTALLED.relative_to("/") / name)


def _run(name: str, *arguments: str) -> None:
    command = [_program(name), *arguments]
    if os.geteuid() == 0:
        command = ["setpriv", "--reuid", USER, "--regid", _group(), "--clear-groups", *command]
    # A server keeps the pipes of whoever started it: nobody waits for their end.
    done = subprocess.run(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
        cwd="/",
        env=os.environ | UNPACKED.environment,
    )
    if done.returncode:
        raise SystemExit(f"{name} ended with {done.returncode}")


def _give(folder: Path) -> None:
    """Let the server's user have the folder."""
    if os.geteuid() == 0:
        user = pwd.getpwnam(USER)
        os.chown(folder, user.pw_uid, user.pw_gid)


def _group() -> str:
    return str(pwd.getpwnam(USER).pw_gid)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
