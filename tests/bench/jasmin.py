"""Jasmin on free ports, bound to a simulated carrier, with a Redis and a RabbitMQ of its own.

It lives in a Python environment of its own below this one's folder, so that nothing of it is among
what Carillon needs. Its parts are the processes that it advises: `jasmind` (HTTP, routes,
binds), `dlrlookupd` (which receipt belongs to which message), `dlrd` (tells users). A connector is
one bind and takes its next message only when the carrier has answered the last one (a prefetch of
1 is fixed in its code): there is no window, only more connectors.
"""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import servers
from bench.brokers import rabbitmq, redis
from bench.gateway import Door, Gateway
from bench.listening import PATIENCE_S, until_listening
from stacks import Link

VERSION = "0.11.0"
"""0.11.1 fails at every answer of a carrier and so finds no report's message (its issue 1236)."""
JASMIN = f"Jasmin {VERSION}"
PLACE = Path(sys.prefix) / f"jasmin-{VERSION}"
PACKAGES = (f"jasmin=={VERSION}", "setuptools<81")
"""It imports `pkg_resources` and does not say so."""
USER = "bench"
PATH = (
    f"/send?username={USER}&password={USER}&from=Bench&to={{destination}}"
    "&content=Hello+N,+this+is+measured"
    "&dlr=yes&dlr-level=2&dlr-method=GET&dlr-url={report_to}"
)
ACCEPTED = "HTTP/1.1 200"
THANKS = "ACK/Jasmin"
PROTOCOL = "txamqp/specs/standard/amqp0-9-1.stripped.xml"
"""Of the packages: Jasmin's own copy is not among what pip installs."""
LOGGED = (
    *("smpp-server", "smpp-server-pb", "client-management", "service-smppclient", "sm-listener"),
    *("dlr", "amqp-broker", "http-api", "router", "deliversm-thrower", "dlr-thrower"),
    *("redis-client", "jcli"),
)
SETTINGS = """
[amqp-broker]
port = {amqp}
spec = {protocol}
[dlr]
dlr_lookup_retry_delay = 1
dlr_lookup_max_retries = 10
[redis-client]
port = {redis}
[jcli]
port = {jcli}
authentication = False
[http-api]
bind = 127.0.0.1
port = {http}
access_log = None
billing_feature = False
[router]
bind = 127.0.0.1
port = {router}
[client-management]
bind = 127.0.0.1
port = {clients}
[smpp-server]
bind = 127.0.0.1
port = {smpp}
[smpp-server-pb]
bind = 127.0.0.1
port = {thrower}
[smpp-server-pb-client]
port = {thrower}
"""
PROMPTS = (b"jcli : ", b"> ")
CONNECTOR = """
smppccm -a
cid {cid}
host 127.0.0.1
port {port}
username {link.id}
password secret
submit_throughput 0
loglevel 40
ok
smppccm -1 {cid}
"""
ACCOUNT = f"""
group -a
gid {USER}
ok
user -a
gid {USER}
uid {USER}
username {USER}
password {USER}
ok
filter -a
fid all
type TransparentFilter
ok
"""
ROUTE = """
mtrouter -a
type RandomRoundrobinMTRoute
order 10
filters all
connectors {connectors}
rate 0
ok
"""


def installed() -> Path:
    """Install Jasmin into its environment once; return the environment's Python.

    Raises:
        CalledProcessError: the packages can not be had.

    """
    python = PLACE / "bin" / "python"
    complete = PLACE / "complete"
    if not complete.exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(PLACE)], check=True)
        quietly = ("--quiet", "--disable-pip-version-check")
        subprocess.run([str(python), "-m", "pip", "install", *quietly, *PACKAGES], check=True)
        complete.touch()
    return python


@contextmanager
def running_jasmin(folder: Path, link: Link, carrier_port: int) -> Iterator[Gateway]:
    """Run Jasmin until the block ends; inside, every session of the link is a bound connector.

    Raises:
        CalledProcessError: this machine can not get it.
        OSError, RuntimeError: it does not start, or does not take its settings.

    """
    python = installed()
    logs, store = folder / "logs", folder / "store"
    for made in (folder, logs, store):
        made.mkdir()
    with ExitStack() as ending:
        memory = ending.enter_context(redis(folder))
        queues = ending.enter_context(rabbitmq(folder))
        names = ("jcli", "http", "router", "clients", "smpp", "thrower")
        ports = {name: servers.free_port() for name in names}
        config = folder / "jasmin.cfg"
        config.write_text(_settings(queues.port, memory.port, ports))
        environment = {"CONFIG_PATH": str(folder), "STORE_PATH": str(store), "LOG_PATH": str(logs)}
        processes = {"redis": memory.pid, "rabbitmq": queues.pid}
        for name in ("jasmind", "dlrlookupd", "dlrd"):
            command = [str(python), "-m", f"jasmin.bin.{name}", "--config", str(config)]
            if name != "jasmind":
                command += ["--id", f"bench-{os.getpid()}"]
            process = servers.running(command, folder / f"{name}.out", environment)
            processes[name] = ending.enter_context(process).pid
            if name == "jasmind":
                until_listening(ports["jcli"])
        _configure(ports["jcli"], link, carrier_port)
        yield Gateway(Door("Jasmin", ports["http"], PATH, ACCEPTED, THANKS), processes)


def _settings(amqp: int, memory: int, ports: Mapping[str, int]) -> str:
    [protocol] = PLACE.glob(f"lib/python3.*/site-packages/{PROTOCOL}")
    lines = SETTINGS.format(amqp=amqp, redis=memory, protocol=protocol, **ports)
    for section in LOGGED:
        if f"[{section}]\n" not in lines:
            lines += f"[{section}]\n"
        lines = lines.replace(f"[{section}]\n", f"[{section}]\nlog_level = ERROR\n")
    return lines


def _configure(jcli: int, link: Link, carrier_port: int) -> None:
    """Tell Jasmin its user, connectors and route, and wait until every connector is bound."""
    names = [f"bind-{number}" for number in range(link.sessions)]
    lines = ACCOUNT + "".join(
        CONNECTOR.format(cid=name, port=carrier_port, link=link) for name in names
    )
    lines += ROUTE.format(connectors=";".join(f"smppc({name})" for name in names))
    with socket.create_connection(("127.0.0.1", jcli), PATIENCE_S) as console:
        for line in lines.split("\n"):
            if line:
                _ask(console, line)
        give_up = time.monotonic() + PATIENCE_S
        while _ask(console, "smppccm -l").count("BOUND_TRX") < len(names):
            if time.monotonic() > give_up:
                raise TimeoutError("Jasmin does not bind")
            time.sleep(0.2)


def _ask(console: socket.socket, line: str) -> str:
    """Say a line to Jasmin's console; return what it says until it waits for the next."""
    console.sendall(f"{line}\r\n".encode())
    read = b""
    while not read.endswith(PROMPTS):
        if not (some := console.recv(65536)):
            raise ConnectionError("Jasmin's console is closed")
        read += some
    answer = read.decode(errors="replace")
    if line == "ok" and "Successfully" not in answer:
        raise RuntimeError(f"Jasmin's console says {answer}")
    return answer
