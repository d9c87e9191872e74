"""The configuration of nats-server for deployments, from the same table as the local one.

    python -m carillon.servers.nats_conf deploy/nats

Seeds stay with the services. The server is told public keys, by variables of its environment
(`carillon nkeys` makes both).
"""

import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path

from carillon.servers.nats_rights import RIGHTS, permissions
from carillon.servers.nats_server import MAX_FILE_STORE, MAX_PAYLOAD, Tls

HEAD = "# Made by `make nats-conf` from carillon/servers/nats_rights.py: change it there.\n"
VARIABLE = re.compile(r'"(\$[A-Z_0-9]+)"')
FILES = Tls("/etc/nats-certs/tls.crt", "/etc/nats-certs/tls.key", "/etc/nats-certs/ca.crt")


def files() -> dict[str, str]:
    """Return every file of `deploy/nats`."""
    return {
        "authorization.conf": HEAD + _rendered({"authorization": {"users": _users()}}),
        "nats.conf": HEAD + _rendered(_server()) + "include authorization.conf\n",
        "cluster.conf": HEAD + "include nats.conf\n" + _rendered({"cluster": _cluster()}),
    }


def _users() -> list[dict[str, object]]:
    services: list[dict[str, object]] = [
        {"nkey": f"$NKEY_{service.upper()}", "permissions": permissions(service)}
        for service in RIGHTS
    ]
    return [{"nkey": "$NKEY_ADMIN"}, *services]


def _server() -> Mapping[str, object]:
    return {
        "server_name": "$SERVER_NAME",
        "listen": "0.0.0.0:4222",
        "http": "127.0.0.1:8222",
        "max_payload": MAX_PAYLOAD,
        "jetstream": {
            "store_dir": "/data",
            "sync_interval": "always",
            "max_file_store": MAX_FILE_STORE,
        },
        "tls": FILES.config(),
    }


def _cluster() -> Mapping[str, object]:
    return {
        "name": "carillon",
        "listen": "0.0.0.0:6222",
        "routes": "$CLUSTER_ROUTES",
        # Clients are told the servers in their URL: what servers know of each other has no names.
        "no_advertise": True,
        "tls": FILES.between_servers(),
    }


def _rendered(config: Mapping[str, object]) -> str:
    """Write it as JSON, which the server reads too, but for variables, which JSON has not."""
    lines = (f"{name}: {json.dumps(value, indent=2)}\n" for name, value in config.items())
    return VARIABLE.sub(r"\1", "".join(lines))


def main() -> None:
    """Write the files into the folder that the command line names."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files().items():
        (folder / name).write_text(text)


if __name__ == "__main__":
    main()
