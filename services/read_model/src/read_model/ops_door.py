"""What the doors of operators share: who may come in, and how services are asked."""

from typing import Annotated, cast

from fastapi import Depends, Query, Request
from nats.aio.client import Client

from campaign_events.access import Allowed, Caller, Permission

Reader = Annotated[Caller, Depends(Allowed(Permission.READ))]
Admin = Annotated[Caller, Depends(Allowed(Permission.ADMINISTER))]
Everywhere = Annotated[bool, Query(description="All workspaces: for super admins.")]


async def _nats(request: Request) -> Client:
    return cast("Client", request.app.state.resources.nc)


Nats = Annotated[Client, Depends(_nats)]
"""The connection over which services are asked."""
