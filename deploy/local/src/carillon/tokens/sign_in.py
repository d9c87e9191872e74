"""One-time links: whoever opens one on this machine is signed in as the person it was made for."""

import asyncio
import json
import secrets
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from carillon.files import OWNER_ONLY, write_atomically
from carillon.tokens.identity import Identity
from carillon.tokens.issuer import DevelopmentIssuer

PATH = "/sign-in"
PAGE = "/dashboard/sign-in"
VALID = timedelta(hours=12)
LONGEST = 200
"""Characters of a request's body: a code and the JSON around it."""


@dataclass(frozen=True, slots=True)
class Links:
    """The links of one data folder that nobody has opened yet; their codes are kept hashed."""

    folder: Path
    issuer: DevelopmentIssuer

    @classmethod
    def of(cls, data: Path, issuer: DevelopmentIssuer) -> "Links":
        """The links of this data folder."""
        return cls(data / "issuer" / "links", issuer)

    def make(self, url: str, identity: Identity) -> str:
        """A new link to the platform at this address."""
        self._forget_old()
        code = secrets.token_urlsafe(24)
        kept = asdict(identity) | {"until": time.time() + VALID.total_seconds()}
        write_atomically(self._file(code), json.dumps(kept), mode=OWNER_ONLY)
        return f"{url}{PAGE}#code={code}"

    def exchange(self, code: str) -> str | None:
        """A token for the code of a link; None when it was exchanged before, or is too old."""
        file = self._file(code)
        try:
            kept = json.loads(file.read_text())
            file.unlink()  # of two who come at once, one finds it gone
        except FileNotFoundError:
            return None
        if kept.pop("until") < time.time():
            return None
        return self.issuer.mint(Identity(**kept))

    def _file(self, code: str) -> Path:
        return self.folder / f"{sha256(code.encode()).hexdigest()}.json"

    def _forget_old(self) -> None:
        for file in self.folder.glob("*.json"):
            with suppress(FileNotFoundError, ValueError, KeyError):
                if json.loads(file.read_text())["until"] < time.time():
                    file.unlink()


@asynccontextmanager
async def exchanging(
    links: Links, port: int, *, host: str = "127.0.0.1", further: Sequence[Route] = ()
) -> AsyncIterator[None]:
    """Exchange codes for tokens on this port for as long as the block runs."""
    server = _Server(
        uvicorn.Config(
            _door(links, further),
            host=host,
            port=port,
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=1,
        )
    )
    serving = asyncio.create_task(server.serve(), name="sign-in")
    try:
        yield
    finally:
        server.should_exit = True
        await serving


def _door(links: Links, further: Sequence[Route]) -> Starlette:
    async def exchange(request: Request) -> Response:
        try:
            code = json.loads(await _body(request))["code"]
        except (ValueError, KeyError, TypeError):
            return _problem(422, "invalid", "A code is needed.")
        token = links.exchange(code) if isinstance(code, str) else None
        if token is None:
            return _problem(401, "unauthorized", "This link was used before, or it is too old.")
        return JSONResponse({"token": token}, headers={"Cache-Control": "no-store"})

    return Starlette(routes=[Route(PATH, exchange, methods=["POST"]), *further])


async def _body(request: Request) -> bytes:
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > LONGEST:
            raise ValueError("too long")
    return body


def _problem(status: int, code: str, detail: str) -> Response:
    body = {
        "type": f"urn:carillon:problem:{code}",
        "title": detail,
        "status": status,
        "detail": detail,
        "code": code,
    }
    return JSONResponse(body, status, media_type="application/problem+json")


class _Server(uvicorn.Server):
    """uvicorn without its own signal handling: the launcher ends everything."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
