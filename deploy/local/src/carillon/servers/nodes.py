"""How many servers of each kind a folder has: chosen at its first start, the same ever after."""

from collections.abc import Mapping
from pathlib import Path

from carillon.errors import PlainError
from carillon.files import write_atomically
from carillon.servers.credentials import ADMIN, Credentials
from carillon.servers.foreign_server import ForeignServer
from carillon.servers.mongo_server import MongoServer
from carillon.servers.nats_server import Cluster, NatsServer
from carillon.servers.ports import Ports

FILE = "nodes"
KINDS = (1, 3)
"""One, or as many as go on when any one of them is gone."""


class OtherNodesError(PlainError):
    """The folder holds the data of another number of servers, or nobody can have so many."""


def nodes_of(data: Path, wanted: int | None) -> int:
    """Return how many servers of each kind the folder has; a new one gets what is wanted.

    Raises:
        OtherNodesError: it has another number already.
    """
    file = data / FILE
    if file.exists():
        there = int(file.read_text())
    elif (data / "nats").exists():
        there = 1
    else:
        there = wanted or 1
    if wanted not in (None, there):
        raise OtherNodesError(
            f"{data} holds the data of {there} server(s) of each kind, and a cluster is not made "
            f"of it by itself: leave out --nodes, or use another --data for {wanted}."
        )
    if there not in KINDS:
        raise OtherNodesError(f"--nodes {there}: 1 or 3 servers of each kind can be had.")
    if not file.exists():
        write_atomically(file, f"{there}\n")
    return there


def nats_of(
    data: Path, environment: Mapping[str, str], ports: Ports, credentials: Credentials, nodes: int
) -> NatsServer | ForeignServer:
    """Return the first nats-server of the folder, or the one that the environment names."""
    if given := environment.get("CARILLON_NATS_URL"):
        return ForeignServer(given)
    clients, monitors = _taken(ports, "nats", nodes), _taken(ports, "nats_monitor", nodes)
    together = None
    if nodes > 1:
        together = Cluster(clients, _taken(ports, "nats_route", nodes), monitors)
    return NatsServer(
        folder=data / "nats",
        port=clients[0],
        monitor_port=monitors[0],
        password=credentials.passwords[ADMIN],
        keys=credentials.seeds,
        cluster=together,
    )


def mongo_of(
    data: Path, environment: Mapping[str, str], ports: Ports, credentials: Credentials, nodes: int
) -> MongoServer | ForeignServer:
    """Return the first mongod of the folder, or the one that the environment names."""
    if given := environment.get("CARILLON_MONGO_URL"):
        return ForeignServer(given)
    members = _taken(ports, "mongo", nodes)
    return MongoServer(
        folder=data / "mongo",
        port=members[0],
        key_file=credentials.mongo_key_file,
        passwords=credentials.passwords,
        ports=members if nodes > 1 else (),
    )


def _taken(ports: Ports, name: str, nodes: int) -> list[int]:
    more = [ports.take(f"{name}-{number}") for number in range(2, nodes + 1)]
    return [ports.take(name), *more]
