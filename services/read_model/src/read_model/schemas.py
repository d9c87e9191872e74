"""Whether the databases of all services have the schema that the running versions need."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

from nats.aio.client import Client

from campaign_events import ops
from campaign_events.problems import Problem
from campaign_events.schema_gate import SchemaGate

OWN = "read_model"
PATIENCE_S = 0.5
NOT_KNOWN = {"version": None, "expected": 0, "ok": False}


@dataclass(slots=True)
class Schemas:
    """Of a service that does not answer the last word holds; one that never spoke is left out."""

    nc: Client
    own: SchemaGate | None = None
    _known: dict[str, dict[str, Any]] = field(default_factory=dict)

    async def shown(self) -> dict[str, Any]:
        """Return the schema of this service's database, of all the others, and if all are right."""
        own = NOT_KNOWN if self.own is None else self.own.state
        if self.nc.is_connected:
            others = (service for service in ops.OWNERS if service != OWN)
            await asyncio.gather(*(self._ask(service) for service in others))
        services = {**self._known, OWN: own}
        all_right = all(state["ok"] for state in services.values())
        return {**own, "ok": all_right, "services": dict(sorted(services.items()))}

    async def _ask(self, service: str) -> None:
        try:
            self._known[service] = await ops.ask(self.nc, service, "schema", within_s=PATIENCE_S)
        except Problem:
            return
