"""The dispatcher's HTTP door: one router per resource, and the links."""

from typing import Any

from fastapi import APIRouter, FastAPI

from campaign_events.access import Permission
from campaign_events.answers import Items, answers
from campaign_events.paging import Paged
from dispatcher import preview_api
from dispatcher.answers import Link
from dispatcher.door import Reader
from dispatcher.health import Health
from dispatcher.messages_api import message_routes
from dispatcher.reading import Views

FOR_ADMINISTRATORS = frozenset({"last_error", "last_error_at"})
"""What carriers say may name what is not everybody's business."""


def add_routes(app: FastAPI, views: Views, health: Health, *more: APIRouter) -> None:
    """Add the dispatcher's resources to its app."""
    for router in (link_routes(health), preview_api.router, message_routes(views), *more):
        app.include_router(router)


def link_routes(health: Health) -> APIRouter:
    """Return the carrier links as people see them."""
    routes = APIRouter(prefix="/api/v1/links", tags=["links"])

    @routes.get("", responses=answers(Items[Link]))
    async def links(caller: Reader, page: Paged) -> dict[str, Any]:
        """Return every link and its state."""
        shown = health.links()
        if not caller.may(Permission.ADMINISTER):
            shown = [
                {name: value for name, value in link.items() if name not in FOR_ADMINISTRATORS}
                for link in shown
            ]
        return page.of(shown)

    return routes
