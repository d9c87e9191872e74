"""`python -m smsc --config FILE [--host H] [--port N] [--ledger FILE]`: the carrier, a program."""

import argparse
import asyncio
import gc
import signal
import sys
from contextlib import closing
from pathlib import Path
from tomllib import TOMLDecodeError

import orjson
import uvloop
from pydantic import ValidationError

from smsc import recovery
from smsc.carrier import Carrier
from smsc.config import Config, load
from smsc.fate import Fates
from smsc.ledger import Ledger
from smsc.session import Session

_YOUNG_OBJECTS = 50_000
"""So many before garbage is looked for: messages hold no cycles, and tens of thousands are kept."""


async def serve(config: Config, ledger_path: Path | None) -> None:
    """Be a carrier until SIGTERM or SIGINT."""
    loop = asyncio.get_running_loop()
    over = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, over.set)
    fates = Fates(config)
    past = recovery.read(ledger_path, config, fates)
    bound: dict[str, int] = {}
    with (
        closing(Ledger(ledger_path)) as ledger,
        closing(Carrier(config, ledger, fates, past.first)) as carrier,
    ):
        recovery.resume(carrier, past, config)
        server = await loop.create_server(
            lambda: Session(carrier, bound), config.listen.host, config.listen.port
        )
        port = server.sockets[0].getsockname()[1]
        sys.stdout.write(orjson.dumps({"event": "listening", "port": port}).decode() + "\n")
        sys.stdout.flush()
        await over.wait()
        server.close()


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(prog="smsc", description="A simulated SMPP 3.4 carrier")
    parser.add_argument("--config", type=Path, required=True, help="what it does (TOML)")
    parser.add_argument("--host", help="instead of the file's")
    parser.add_argument("--port", type=int, help="instead of the file's; 0 takes a free one")
    parser.add_argument("--ledger", type=Path, help="append what happens here (JSON Lines)")
    given = parser.parse_args()
    try:
        config = load(given.config)
    except (ValidationError, TOMLDecodeError, OSError) as error:
        parser.error(str(error))
    told = {"host": given.host, "port": given.port}
    listen = {name: value for name, value in told.items() if value is not None}
    config = config.model_copy(update={"listen": config.listen.model_copy(update=listen)})
    gc.freeze()
    gc.set_threshold(_YOUNG_OBJECTS)
    uvloop.run(serve(config, given.ledger))


if __name__ == "__main__":
    main()
