"""The one OpenAPI document of all services, as the edge puts them together.

`python -m api_document > docs/openapi.json` writes it.
"""

import json
import sys
from collections.abc import Sequence
from typing import Any, cast

from fastapi import APIRouter, FastAPI

from campaign.api import campaign_routes
from campaign.contacts_api import contact_routes
from campaign.settings_api import settings_routes
from campaign.uploading import upload_routes
from campaign_events.openapi import describe
from dialler.calls_api import call_routes
from dispatcher import preview_api
from dispatcher.api import link_routes
from dispatcher.messages_api import message_routes
from dispatcher.pushing_api import pushing_routes
from dispatcher.suppressions_api import suppression_routes
from moderation import campaigns_api, senders_api
from read_model import api, audit_api, parked_api, projections_api

type Json = dict[str, Any]
ABOUT = {
    "title": "Carillon",
    "version": "1",
    "description": "Every service behind the edge, as one API.",
}


def doors() -> dict[str, Sequence[APIRouter]]:
    nothing = cast("Any", None)  # routes are only looked at
    return {
        "Campaign": (
            campaign_routes(nothing, nothing),
            settings_routes(nothing, 0),
            upload_routes(nothing, nothing, 0),
            contact_routes(nothing, nothing, nothing),
        ),
        "Moderation": (campaigns_api.router, senders_api.router),
        "Dispatcher": (
            link_routes(nothing),
            preview_api.router,
            message_routes(nothing),
            suppression_routes(nothing, nothing, nothing, 0),
            pushing_routes(nothing, nothing),
        ),
        "Dialler": (call_routes(nothing),),
        "ReadModel": (api.router, audit_api.router, parked_api.router, projections_api.router),
    }


def document() -> Json:
    """All paths and all schemas."""
    paths: Json = {}
    components: Json = {"schemas": {}}
    whole: Json = {"openapi": "3.1.0", "info": ABOUT}
    for service, routers in doors().items():
        one = _told_apart(described(routers), components["schemas"], service)
        for path, operations in one["paths"].items():
            paths.setdefault(path, {}).update(operations)
        components["schemas"] |= one["components"]["schemas"]
        components["securitySchemes"] = one["components"]["securitySchemes"]
        whole["security"] = one["security"]
    components["schemas"] = dict(sorted(components["schemas"].items()))
    return whole | {"paths": dict(sorted(paths.items())), "components": components}


def described(routers: Sequence[APIRouter]) -> Json:
    app = FastAPI()
    describe(app)
    for router in routers:
        app.include_router(router)
    return app.openapi()


def _told_apart(one: Json, known: Json, service: str) -> Json:
    """Return the document of a service; a name that means something else already gets its own."""
    text = json.dumps(one)
    for name, meaning in one["components"]["schemas"].items():
        if known.get(name, meaning) != meaning:
            text = text.replace(f'schemas/{name}"', f'schemas/{service}{name}"')
            text = text.replace(f'"{name}": {{', f'"{service}{name}": {{')
    return cast("Json", json.loads(text))


if __name__ == "__main__":
    sys.stdout.write(json.dumps(document(), indent=1, ensure_ascii=False) + "\n")
