"""When the TLS certificates end that this service was told of, for the alert."""

import asyncio
from collections.abc import Coroutine, Mapping
from pathlib import Path
from typing import Any

import structlog
from cryptography import x509
from prometheus_client import Gauge

EXPIRY = Gauge(
    "carillon_certificate_expiry_timestamp_seconds",
    "When a certificate ends; of a chain, the first that does",
    ["certificate"],
)
LOOK_S = 60.0

log = structlog.get_logger(__name__)


def watched(files: str) -> Mapping[str, Coroutine[Any, Any, None]]:
    """Return the work of looking at these PEM files, named with commas between; none, no work."""
    paths = [Path(file.strip()) for file in files.split(",") if file.strip()]
    return {"certificates": _watch(paths)} if paths else {}


async def _watch(files: list[Path]) -> None:
    """Tell the end of each, by its file's name, again and again: certificates are renewed."""
    while True:
        for file in files:
            try:
                ends = x509.load_pem_x509_certificates(await asyncio.to_thread(file.read_bytes))
                end = min(one.not_valid_after_utc for one in ends).timestamp()
            except (OSError, ValueError) as error:
                log.warning("certificate can not be read", file=str(file), why=repr(error))
                end = 0.0  # as alarming as one that has ended
            EXPIRY.labels(file.stem).set(end)
        await asyncio.sleep(LOOK_S)
