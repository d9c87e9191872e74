"""Which request is which command: what the routes of an app say about themselves.

The same as in its OpenAPI, which takes a third of a second to write: no start waits for that.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import FastAPI
from fastapi.routing import APIRoute, RouteContext, iter_route_contexts

from campaign_events.audit import KEY

UNSAFE = frozenset(("POST", "PUT", "PATCH", "DELETE"))
_PARAMETER = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Operation:
    """One method on one path. `action` is None when it only asks something."""

    method: str
    path: str
    action: str | None
    resource: str
    summed: bool
    declared: bool


@dataclass(frozen=True, slots=True)
class _Known:
    operation: Operation
    pattern: re.Pattern[str]


class Operations:
    """The operations of one app; a request is told apart without the app's router.

    So also requests that are answered before it are known: too long ones, repeated ones.
    """

    def __init__(self, app: FastAPI) -> None:
        self._known = [_known(operation) for operation in operations(app)]

    def find(self, method: str, path: str) -> tuple[Operation, str | None] | None:
        """Return the operation, and the first id in its path."""
        for known in self._known:
            if known.operation.method == method and (found := known.pattern.fullmatch(path)):
                return known.operation, next(iter(found.groups()), None)
        return None


def operations(app: FastAPI) -> Sequence[Operation]:
    """Return every operation of the app, those with fixed paths first."""
    found = [
        _operation(method, route)
        for route in iter_route_contexts(app.routes)
        if isinstance(route.original_route, APIRoute) and route.include_in_schema
        for method in route.methods or ()
    ]
    return sorted(found, key=lambda one: one.path.count("{"))


def undeclared(app: FastAPI) -> list[str]:
    """Return the unsafe operations that do not say which action they are, or that they are none."""
    return [
        f"{one.method} {one.path}"
        for one in operations(app)
        if one.method in UNSAFE and not one.declared
    ]


def _operation(method: str, route: RouteContext) -> Operation:
    extra = route.openapi_extra or {}
    said = extra.get(KEY)
    stated = said if isinstance(said, dict) else {}
    # What says nothing is recorded all the same, under a name made from its own.
    unnamed = None if KEY in extra else f"ops.{route.unique_id}"
    return Operation(
        method=method,
        path=route.path_format or "",
        action=stated.get("action", unnamed),
        resource=str(stated.get("resource", "unnamed")),
        summed=bool(stated.get("summed")),
        declared=KEY in extra,
    )


def _known(operation: Operation) -> _Known:
    parts = _PARAMETER.split(operation.path)
    text = "".join("([^/]+)" if index % 2 else re.escape(part) for index, part in enumerate(parts))
    return _Known(operation, re.compile(text))
