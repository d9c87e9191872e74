"""What every error looks like from outside (RFC 9457, and a stable code)."""

from typing import Any

import httpx

LEAKS = ("Traceback", 'File "/', "pymongo", "nats://", "mongodb://")


def problem(answer: httpx.Response, status: int, code: str, about: str = "") -> dict[str, Any]:
    """Check that an answer is this problem, and return it."""
    asked = f"{answer.request.method} {answer.request.url.path} {about}"
    assert answer.status_code == status, f"{asked}: {answer.status_code} {answer.text}"
    assert answer.headers["Content-Type"] == "application/problem+json", asked
    body: dict[str, Any] = answer.json()
    assert {"type", "title", "status", "detail", "code"} <= body.keys(), asked
    assert body.keys() <= {"type", "title", "status", "detail", "code", "reasons", "errors"}, asked
    assert (body["status"], body["code"]) == (status, code), f"{asked}: {body}"
    assert body["title"]
    assert body["detail"]
    assert not [leak for leak in LEAKS if leak in answer.text], asked
    return body
