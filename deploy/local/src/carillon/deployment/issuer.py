"""The development issuer as a process of its own: its public key, and one-time sign-in links.

For trying a deployment out; a real one names its identity provider (`CARILLON_OIDC_CLIENT_ID`).
"""

import asyncio
import signal
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route

from carillon.stack_file import StackFile
from carillon.tokens.issuer import DevelopmentIssuer
from carillon.tokens.sign_in import Links, exchanging

JWKS = "/jwks.json"
READY = "/readyz"


async def serve_issuer(data: Path, url: str, host: str, port: int) -> None:
    """Serve until SIGTERM; the key is made on the first start."""
    issuer = DevelopmentIssuer.prepare(data / "issuer")
    # `carillon sign-in` and `carillon campaign run` need to know no more than this.
    StackFile(url, nats_url="", mongo_url="", services={}, token_file="").write(data)
    over = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, over.set)

    async def keys(_: Request) -> Response:
        return FileResponse(issuer.jwks_file, media_type="application/json")

    further = (Route(JWKS, keys), Route(READY, _ready))
    async with exchanging(Links.of(data, issuer), port, host=host, further=further):
        await over.wait()


async def _ready(_: Request) -> Response:
    return PlainTextResponse("ok")
