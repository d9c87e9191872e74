"""`python -m phones --config FILE [--host HOST] [--port N] [--ledger FILE]`: a phone network."""

import argparse
import asyncio
import signal
import sys
from collections.abc import Mapping
from contextlib import closing
from functools import partial
from pathlib import Path

import orjson

from phones.config import Behaviour, ConfigError, load
from phones.exchange import Exchange
from phones.ledger import Ledger, lines
from phones.session import LONGEST_LINE, serve


async def run(
    networks: Mapping[str, Behaviour], host: str, port: int, ledger_path: Path | None
) -> None:
    """Be a phone network until SIGTERM or SIGINT."""
    loop = asyncio.get_running_loop()
    over = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, over.set)
    with closing(Ledger(ledger_path)) as ledger:
        exchanges = {name: Exchange(behaviour, ledger) for name, behaviour in networks.items()}
        past = list(lines(ledger_path))
        for exchange in exchanges.values():
            exchange.remember(past)
        del past
        server = await asyncio.start_server(
            partial(serve, exchanges), host, port, limit=LONGEST_LINE
        )
        port = server.sockets[0].getsockname()[1]
        sys.stdout.write(orjson.dumps({"event": "listening", "port": port}).decode() + "\n")
        sys.stdout.flush()
        await over.wait()
        server.close()
        for exchange in exchanges.values():
            exchange.close()


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(prog="phones", description="A simulated phone network")
    parser.add_argument("--config", type=Path, required=True, help="telephony.toml")
    parser.add_argument("--host", help="instead of the first table's")
    parser.add_argument("--port", type=int, help="instead of the first table's; 0 takes a free one")
    parser.add_argument("--ledger", type=Path, help="append what happens here (JSON Lines)")
    given = parser.parse_args()
    try:
        networks = load(given.config)
    except ConfigError as error:
        parser.error(str(error))
    first = next(iter(networks.values()))
    host = first.host if given.host is None else given.host
    port = first.port if given.port is None else given.port
    asyncio.run(run(networks, host, port, given.ledger))


if __name__ == "__main__":
    main()
