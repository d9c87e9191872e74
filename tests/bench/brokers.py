"""Debian's Redis and RabbitMQ on free ports, with their data below a folder: what Jasmin needs.

Only unpacked, never installed. RabbitMQ's scripts and Erlang's know absolute paths, so its virtual
machine is started as those scripts do, with the same settings; `epmd`, where Erlang's nodes find
each other, on a port of its own, as long as the node lives.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import servers
from bench.debian import Package
from bench.listening import until_listening

REDIS = Package("redis-server", ("redis-tools", "liblzf1", "libjemalloc2", "libatomic1"))
RABBITMQ = Package(
    "rabbitmq-server",
    (
        *("erlang-base", "erlang-asn1", "erlang-crypto", "erlang-eldap", "erlang-inets"),
        *("erlang-mnesia", "erlang-os-mon", "erlang-parsetools", "erlang-public-key"),
        *("erlang-runtime-tools", "erlang-ssl", "erlang-syntax-tools", "erlang-tools"),
        "erlang-xmerl",
    ),
)
NODE = (
    *("-noinput", "-s", "rabbit", "boot", "-boot", "start_sasl", "+W", "w"),
    *("+P", "1048576", "+t", "5000000", "+stbt", "db", "+zdbbl", "128000"),
    *("+sbwt", "none", "+sbwtdcpu", "none", "+sbwtdio", "none"),
    *("-syslog", "logger", "[]", "-syslog", "syslog_error_logger", "false"),
    *("-kernel", "prevent_overlapping_partitions", "false"),
    *("-kernel", "inet_dist_use_interface", "{127,0,0,1}"),
)
"""What `rabbitmq-server` tells Erlang, and to listen on this machine alone."""
SETTINGS = """
listeners.tcp.default = 127.0.0.1:{port}
log.file = false
log.console = true
log.console.level = error
"""


@dataclass(frozen=True, slots=True)
class Broker:
    """A server that takes connections."""

    port: int
    pid: int


@contextmanager
def redis(folder: Path) -> Iterator[Broker]:
    """Run a Redis that writes nothing to the disk."""
    program = REDIS.unpacked() / "usr" / "bin" / "redis-server"
    port = servers.free_port()
    options = ("--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder))
    command = [str(program), *options]
    with servers.running(command, folder / "redis.out", REDIS.environment) as process:
        until_listening(port)
        yield Broker(port, process.pid)


@contextmanager
def rabbitmq(folder: Path) -> Iterator[Broker]:
    """Run a RabbitMQ of one node without plugins."""
    erlang = RABBITMQ.unpacked() / "usr" / "lib" / "erlang"
    [programs] = erlang.glob("erts-*/bin")
    port, meeting = servers.free_port(), servers.free_port()
    (folder / "rabbitmq.conf").write_text(SETTINGS.format(port=port))
    (folder / "plugins").touch()
    environment = _environment(folder, erlang, programs, meeting)
    with ExitStack() as ending:

        def start(name: str, *options: str) -> int:
            command = [str(programs / name), *options]
            running = servers.running(command, folder / f"{name}.out", environment)
            return ending.enter_context(running).pid

        start("epmd")
        until_listening(meeting)
        node = start("erlexec", *NODE)
        until_listening(port)
        yield Broker(port, node)


def _environment(folder: Path, erlang: Path, programs: Path, meeting: int) -> Mapping[str, str]:
    [home] = RABBITMQ.folder.glob("usr/lib/rabbitmq/lib/rabbitmq_server-*")
    return {
        "HOME": str(folder),  # the node's cookie lies there
        "PATH": f"{programs}:{os.environ['PATH']}",
        "ROOTDIR": str(erlang),
        "BINDIR": str(programs),
        "EMU": "beam",
        "PROGNAME": "erl",
        "ERL_LIBS": str(home / "plugins"),
        "ERL_EPMD_PORT": str(meeting),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "ERL_MAX_ETS_TABLES": "50000",
        "ERL_MAX_PORTS": "65536",
        "SYS_PREFIX": "",
        "RABBITMQ_HOME": str(home),
        "RABBITMQ_NODENAME": "bench@localhost",
        "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
        "RABBITMQ_LOG_BASE": str(folder / "logs"),
        "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
        "RABBITMQ_DIST_PORT": str(servers.free_port()),
    }
