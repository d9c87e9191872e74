"""OpenAPI as the services really are: bearer tokens, and problem documents for every error."""

from typing import Any

from fastapi import FastAPI

PROBLEM: dict[str, Any] = {
    "type": "object",
    "description": "RFC 9457",
    "required": ["type", "title", "status", "detail", "code"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string"},
        "reasons": {"type": "array", "items": {"type": "string"}},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"field": {"type": "string"}, "reason": {"type": "string"}},
            },
        },
    },
}
_REFERENCE = {"schema": {"$ref": "#/components/schemas/Problem"}}
_ANSWER = {"description": "Problem", "content": {"application/problem+json": _REFERENCE}}
_NOT_OURS = ("HTTPValidationError", "ValidationError")


def describe(app: FastAPI) -> None:
    """Have `/openapi.json` tell how to ask, and what an error looks like."""
    generated = app.openapi

    def described() -> dict[str, Any]:
        if app.openapi_schema is None:
            _complete(generated())
        return generated()

    app.openapi = described  # type: ignore[method-assign]


def _complete(schema: dict[str, Any]) -> None:
    components = schema.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for name in _NOT_OURS:
        schemas.pop(name, None)
    schemas["Problem"] = PROBLEM
    bearer = {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
    components["securitySchemes"] = {"bearer": bearer}
    schema["security"] = [{"bearer": []}]
    for path in schema["paths"].values():
        for operation in path.values():
            operation["responses"].pop("422", None)
            for answer in operation["responses"].values():
                _say_once(answer.get("content", {}).get("application/json", {}))
            operation["responses"]["default"] = _ANSWER


def _say_once(content: dict[str, Any]) -> None:
    """Leave out what the handler's `dict` says of an answer that is described by a model."""
    schema = content.get("schema", {})
    if "$ref" in schema or "oneOf" in schema:
        for name in ("type", "additionalProperties", "title"):
            schema.pop(name, None)
