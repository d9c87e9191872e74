"""Errors as RFC 9457 problem+json, each with a stable `code`. No stack trace ever leaves."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pymongo.errors import PyMongoError
from starlette.exceptions import HTTPException
from starlette.routing import compile_path

from campaign_events.decider import Conflict, Refused
from campaign_events.directread import ReadFailed
from campaign_events.eventlog import NotUnderstood, Rejected, Unavailable

log = structlog.get_logger(__name__)
_CODES = {401: "unauthorized", 403: "forbidden", 404: "not_found", 413: "too_large"}
_NO_OBJECT = frozenset(("model_attributes_type", "model_type"))
"""What pydantic calls anything else where an object belongs; it names our class then."""
_LONGEST_FIELD = 100


class Problem(Exception):
    """An answer that is an error: HTTP status, stable code, and a sentence for the caller."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        reasons: Sequence[str] = (),
        errors: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.reasons = reasons
        self.errors = errors

    def response(self) -> JSONResponse:
        """Return the problem document."""
        body: dict[str, Any] = {
            "type": f"urn:carillon:problem:{self.code}",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
        }
        if self.reasons:
            body["reasons"] = list(self.reasons)
        if self.errors:
            body["errors"] = list(self.errors)
        headers = {"WWW-Authenticate": "Bearer"} if self.status == HTTPStatus.UNAUTHORIZED else {}
        return JSONResponse(body, self.status, headers, media_type="application/problem+json")


def not_found(what: str) -> Problem:
    """Return the 404 that also hides what belongs to another workspace."""
    return Problem(404, "not_found", f"There is no such {what}.")


def problem_of(error: Exception) -> Problem:  # noqa: C901, PLR0911 - one line per kind of error
    """Return the problem that tells a caller about an error; anything unknown is a plain 500."""
    match error:
        case Problem():
            return error
        case Refused():
            return Problem(409, error.code, f"{error}.", reasons=error.reasons)
        case Conflict():
            return Problem(409, "conflict", "Somebody else changed this at the same time.")
        case Unavailable() | ReadFailed():
            return Problem(503, "core_unavailable", "The event log does not answer; try again.")
        case Rejected():
            return Problem(503, "core_unavailable", "The event log takes no events at the moment.")
        case NotUnderstood():
            detail = f"{error}: a newer service wrote it, or it is broken. Nothing was changed."
            return Problem(503, "unavailable", detail)
        case PyMongoError():
            return Problem(503, "unavailable", "The database does not answer; try again.")
        case RequestValidationError():
            return _invalid(error)
        case HTTPException(status_code=HTTPStatus.BAD_REQUEST):
            return Problem(422, "invalid", f"{error.detail}.")
        case HTTPException():
            code = _CODES.get(error.status_code, "invalid")
            return Problem(error.status_code, code, str(error.detail))
        case _:
            return Problem(500, "internal", "Something went wrong on our side; it is logged.")


def _methods(request: Request) -> str:
    """Return what may be asked of this path: one route knows one method."""
    paths: Mapping[str, Mapping[str, Any]] = request.app.openapi()["paths"]
    fitting = (path for path in paths if compile_path(path)[0].match(request.url.path))
    methods = {method.upper() for path in fitting for method in paths[path]}
    return ", ".join(sorted(methods | ({"HEAD"} if "GET" in methods else set())))


def _invalid(error: RequestValidationError) -> Problem:
    errors = [
        {
            "field": _field(entry)[:_LONGEST_FIELD],
            "reason": _reason(entry),
        }
        for entry in error.errors()[:20]
    ]
    summary = "; ".join(f"{entry['field']}: {entry['reason']}" for entry in errors[:3])
    return Problem(422, "invalid", f"The request is not valid: {summary}", errors=errors)


def _reason(entry: Mapping[str, Any]) -> str:
    """Return what is wrong, in words that name nothing of ours."""
    if entry["type"] not in _NO_OBJECT:
        return str(entry["msg"]).removeprefix("Value error, ")
    if isinstance(entry.get("input"), bytes):
        return "must be JSON, sent with the header Content-Type: application/json"
    return "must be a JSON object"


def _field(entry: Mapping[str, Any]) -> str:
    """Return what is wrong by its path; text that is no JSON has no path."""
    where, *path = entry["loc"]
    return str(where) if entry["type"] == "json_invalid" else ".".join(map(str, path)) or str(where)


def add_problem_handlers(app: FastAPI) -> None:
    """Answer every error of this app with a problem document."""

    async def answer(request: Request, error: Exception) -> JSONResponse:
        problem = problem_of(error)
        if problem.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            log.error("request failed", path=request.url.path, exc_info=error)
        response = problem.response()
        if isinstance(error, HTTPException):
            response.headers.update(error.headers or {})
        if problem.status == HTTPStatus.METHOD_NOT_ALLOWED and (methods := _methods(request)):
            response.headers["Allow"] = methods
        return response

    for kind in (
        Problem,
        Refused,
        Conflict,
        Unavailable,
        Rejected,
        NotUnderstood,
        ReadFailed,
        PyMongoError,
        RequestValidationError,
        HTTPException,
        Exception,
    ):
        app.add_exception_handler(kind, answer)
