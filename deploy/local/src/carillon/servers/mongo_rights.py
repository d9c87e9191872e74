"""Who may do what in MongoDB: one table, for this machine and for `deploy/mongo`.

python -m carillon.servers.mongo_rights > deploy/mongo/rights.js
"""

import json
import re
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from campaign_events import audit_store

# Databases are named by the service that owns them.
OWNERS = ("campaign", "moderation", "dispatcher", "dialler", "read_model")
# The one exception to private databases: the audience is read by who plans and by who shows it to
# moderators.
AUDIENCE_READERS = ("dispatcher", "dialler", "moderation")
AUDIENCE = {"db": "campaign", "collection": "contacts"}
# The audit trail belongs to nobody: every service adds to it, none can change or remove a record.
AUDIT_READERS = ("read_model",)
AUDIT = {"db": audit_store.DATABASE, "collection": audit_store.RECORDS}

ROLES: Mapping[str, tuple[Mapping[str, str], tuple[str, ...]]] = {
    "audience_reader": (AUDIENCE, ("find", "listIndexes", "collStats")),
    "audit_writer": (AUDIT, ("insert",)),
    "audit_reader": (AUDIT, ("find",)),
}
"""What each role may do to one collection."""

type Command = dict[str, Any]


def commands(passwords: Mapping[str, str]) -> Iterator[Command]:
    """Return what the administrator runs in `admin`, in order; what is there already may stay."""
    for role, (resource, actions) in ROLES.items():
        privileges = [{"resource": dict(resource), "actions": list(actions)}]
        yield {"createRole": role, "privileges": privileges, "roles": []}
    for service in OWNERS:
        roles = granted(service)
        yield {"createUser": service, "pwd": passwords[service], "roles": roles}
        yield {"grantRolesToUser": service, "roles": roles}


def granted(service: str) -> list[Any]:
    """Return the roles of a service's user."""
    own = [{"role": role, "db": service} for role in ("readWrite", "dbAdmin")]
    shared = {
        "audience_reader": service in AUDIENCE_READERS,
        "audit_writer": True,
        "audit_reader": service in AUDIT_READERS,
    }
    return [*own, *(role for role, is_granted in shared.items() if is_granted)]


SCRIPT = """\
// Made by `make mongo-rights` from carillon/servers/mongo_rights.py: change it there.
// For who makes users by hand; `carillon deployment prepare` does the same. As administrator:
//     MONGO_PASSWORD_CAMPAIGN=... (one for each service) mongosh URL rights.js
const THERE_ALREADY = [51002, 51003];
for (const command of COMMANDS) {
  const answer = db.getSiblingDB("admin").runCommand(command);
  if (!answer.ok && !THERE_ALREADY.includes(answer.code)) throw new Error(answer.errmsg);
}
"""


def script() -> str:
    """Return the same as a script for mongosh, with passwords from its environment."""
    variables = {service: f"$MONGO_PASSWORD_{service.upper()}" for service in OWNERS}
    listed = json.dumps(list(commands(variables)), indent=2)
    return SCRIPT.replace("COMMANDS", re.sub(r'"\$(\w+)"', r"process.env.\1", listed))


if __name__ == "__main__":
    sys.stdout.write(script())
