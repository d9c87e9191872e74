"""What the processes of a deployment must not tell: one file for each of them and each purpose.

`deploy/compose.yml` gives every container only its own files, below /run/secrets.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from carillon.servers.certificates import make_certificates
from carillon.servers.credentials import ADMIN, made_seeds, prepare_credentials
from carillon.servers.mongo_server import MongoServer
from carillon.servers.nkey import public_of
from carillon.services import SERVICES

READABLE = 0o444
"""Containers have users of their own; the folder is what keeps everybody else out."""
GIVEN_TO_NOBODY = ("ca.key",)
AUTHORITY = Path("/run/secrets/ca.crt")


def write_secrets(folder: Path, mongo_at: Sequence[str] = ()) -> list[Path]:
    """Make the files that are missing, and write those anew that follow from others.

    `mongo_at` names MongoDB's members, `host:port`, where compose does not run it.

    Nobody but the folder's owner can enter it. What was made once never changes: the databases know
    these passwords. Certificates that end soon are made anew.
    """
    passwords = prepare_credentials(folder, (ADMIN, *SERVICES)).passwords
    make_certificates(folder / "certificates")
    _write(folder / "nats.env", _public_keys(folder))
    grafana = folder / "grafana.password"
    if not grafana.exists():
        _write(grafana, secrets.token_urlsafe(18))
    mongo = replace(mongo_server(passwords), addresses=mongo_at)
    for user in (ADMIN, *SERVICES):
        _write(folder / f"{user}.mongo", mongo.url(user))
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    for file in files:
        if file.name not in GIVEN_TO_NOBODY:
            file.chmod(READABLE)
    return files


def mongo_server(passwords: Mapping[str, str]) -> MongoServer:
    """The document store as its users see it."""
    return MongoServer(Path("/data/db"), 27017, Path(), passwords, host="mongo", ca=AUTHORITY)


def _public_keys(folder: Path) -> str:
    """What nats-server needs in its environment; seeds stay with their users."""
    seeds = made_seeds(folder, (ADMIN, *SERVICES))
    return "\n".join(
        f"NKEY_{user.upper()}={public_of(seed.read_text())}" for user, seed in seeds.items()
    )


def _write(file: Path, text: str) -> None:
    """Write over a file that may be mounted somewhere: it stays the same file."""
    if file.exists():
        file.chmod(0o600)
    file.write_text(text + "\n")
