"""Which request is which command: what the routes of an app say about themselves in its OpenAPI."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fastapi import FastAPI

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
        _operation(method.upper(), path, details)
        for path, methods in app.openapi()["paths"].items()
        for method, details in methods.items()
    ]
    return sorted(found, key=lambda one: one.path.count("{"))


def undeclared(app: FastAPI) -> list[str]:
    """Return the unsafe operations that do not say which action they are, or that they are none."""
    return [
        f"{one.method} {one.path}"
        for one in operations(app)
        if one.method in UNSAFE and not one.declared
    ]


def _operation(method: str, path: str, details: Mapping[str, object]) -> Operation:
    said = details.get(KEY)
    stated = said if isinstance(said, dict) else {}
    # What says nothing is recorded all the same, under a name made from its own.
    unnamed = None if KEY in details else f"ops.{details.get('operationId', 'unnamed')}"
    return Operation(
        method=method,
        path=path,
        action=stated.get("action", unnamed),
        resource=str(stated.get("resource", "unnamed")),
        summed=bool(stated.get("summed")),
        declared=KEY in details,
    )


def _known(operation: Operation) -> _Known:
    parts = _PARAMETER.split(operation.path)
    text = "".join("([^/]+)" if index % 2 else re.escape(part) for index, part in enumerate(parts))
    return _Known(operation, re.compile(text))
