"""Passwords and keys that the local stack makes for itself on its first start."""

import base64
import json
import secrets
from dataclasses import dataclass
from pathlib import Path

from carillon.files import OWNER_ONLY, write_atomically
from carillon.servers.nkey import new_seed

ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Credentials:
    """What the servers of one data folder ask for, one password per user."""

    passwords: dict[str, str]
    secret_file: Path
    mongo_key_file: Path
    seeds: dict[str, Path]
    """Where each service's key for NATS is: the server knows its public half only."""


def prepare_credentials(folder: Path, users: tuple[str, ...]) -> Credentials:
    """The folder's credentials; missing ones are made, existing ones never change."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder.chmod(0o700)
    passwords = _passwords(folder / "passwords.json", users)
    # The key of the suppression hash: losing it would forget who opted out.
    secret = _made_once(folder / "suppression.key", secrets.token_hex(32))
    mongo_key = _made_once(folder / "mongo.key", base64.b64encode(secrets.token_bytes(96)).decode())
    seeds = made_seeds(folder, tuple(user for user in users if user != ADMIN))
    return Credentials(passwords, secret, mongo_key, seeds)


def made_seeds(folder: Path, users: tuple[str, ...]) -> dict[str, Path]:
    """The users' keys for NATS, one file each; missing ones are made."""
    return {user: _made_once(folder / f"{user}.nkey", new_seed()) for user in users}


def _passwords(file: Path, users: tuple[str, ...]) -> dict[str, str]:
    known: dict[str, str] = json.loads(file.read_text()) if file.exists() else {}
    missing = {user: secrets.token_hex(16) for user in users if user not in known}
    if missing:
        known |= missing
        write_atomically(file, json.dumps(known, indent=2) + "\n", mode=OWNER_ONLY)
    return known


def _made_once(file: Path, content: str) -> Path:
    if not file.exists():
        write_atomically(file, content, mode=OWNER_ONLY)
    return file
