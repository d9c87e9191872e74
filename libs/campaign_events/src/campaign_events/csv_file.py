"""Answers that are CSV files (RFC 4180), streamed. Cells: `campaign_events.cells`."""

import csv
import io
from collections.abc import AsyncIterator, Iterable, Sequence

from fastapi.responses import StreamingResponse


def lines(rows: Iterable[Sequence[object]]) -> bytes:
    """Return rows as lines of a file."""
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


async def answer(name: str, pieces: AsyncIterator[bytes]) -> StreamingResponse:
    """Return a file of these pieces, the first of which is its header, to be saved as `name`.

    What fails before the first rows are read is still a proper answer; later the connection breaks.
    """
    header = await anext(pieces)
    rows = await anext(pieces, b"")

    async def whole() -> AsyncIterator[bytes]:
        yield header + rows
        async for piece in pieces:
            yield piece

    return StreamingResponse(
        whole(),
        media_type="text/csv; charset=utf-8; header=present",
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
        },
    )
