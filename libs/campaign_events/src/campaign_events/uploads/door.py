"""The HTTP side of every upload: what a request's body is, how much of it, and what it lacks."""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

from fastapi import Request
from starlette.requests import ClientDisconnect

from campaign_events.problems import Problem
from campaign_events.uploads.files import UploadedFile, uploaded_file
from campaign_events.uploads.rows import Unreadable

CONTENT: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "text/csv": {"schema": {"type": "string", "format": "binary"}},
            "text/plain": {"schema": {"type": "string", "format": "binary"}},
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "properties": {"file": {"type": "string", "format": "binary"}},
                }
            },
        },
    }
}
"""What an upload takes, for the API's description."""


def file_of(request: Request, limit: int) -> UploadedFile:
    """Return how to read a request's body; `limit` is in bytes.

    Raises:
        Problem: 413 when it says that it is longer, 415 when it can be no upload.
        Unreadable: it can not be read.

    """
    length = request.headers.get("Content-Length", "")
    if length.isdigit() and int(length) > limit:
        raise _too_large(limit)
    file = uploaded_file(request.headers.get("Content-Type", ""))
    if file is None:
        raise Problem(
            415, "invalid", "Send text/csv, text/plain or multipart/form-data, uncompressed."
        )
    return file


async def body_of(request: Request, limit: int) -> AsyncIterator[bytes]:
    """Yield the body as it comes, up to the limit.

    Raises:
        Problem: 413 when it is longer.

    """
    taken = 0
    async for data in request.stream():
        taken += len(data)
        if taken > limit:
            raise _too_large(limit)
        yield data


@contextmanager
def refusals() -> Iterator[None]:
    """Answer a body that can not be read, or that ends too early, with 422."""
    try:
        yield
    except Unreadable as error:
        raise Problem(422, "invalid", f"The upload is refused: {error}.") from error
    except ClientDisconnect as error:
        raise Problem(422, "invalid", "The upload was cut off.") from error


def _too_large(limit: int) -> Problem:
    return Problem(413, "too_large", f"The upload is over {limit} bytes.")
