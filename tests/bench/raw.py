"""The bare link: how fast the same carrier takes messages when nothing is stored anywhere."""

import tempfile
import time
from pathlib import Path

from pydantic import SecretStr

from bench.campaigns import SOON, carrier
from carrier import running
from dispatcher.links.link import Part, Source
from dispatcher.links.registry import open_link
from dispatcher.links.settings import LinkSettings
from link_news import news
from stacks import Link


async def raw_link_rate(link: Link, latency_ms: float, count: int, reports: str = SOON) -> float:
    """Submit `count` messages to a carrier and hear all reports; messages per second."""
    with (
        tempfile.TemporaryDirectory(prefix="carillon-bench-") as folder,
        running(Path(folder), carrier([link], latency_ms, reports=reports)) as listening,
    ):
        settings = LinkSettings(
            id=link.id,
            host="127.0.0.1",
            port=listening.port,
            system_id=link.id,
            password=SecretStr("secret"),
            window=link.window,
            sessions=link.sessions,
        )
        return await _rate(settings, Source("Bench"), count)


async def _rate(settings: LinkSettings, source: Source, count: int) -> float:
    async with open_link(settings) as link:
        while not link.up:
            await news(link)
        began = time.perf_counter()
        sent = reported = 0
        while reported < count:
            room = min(link.room(), count - sent)
            if room:
                link.submit(
                    [
                        Part(
                            key=("raw", number, 0),
                            destination=f"+4915113{number:06d}",
                            reference=number & 0xFFFF,
                            octets=b"Hello, this is measured",
                            data_coding=0,
                            udh=False,
                            source=source,
                        )
                        for number in range(sent, sent + room)
                    ]
                )
                sent += room
            batch = await news(link)
            link.acknowledge(batch.reports)
            reported += len(batch.reports)
        return count / (time.perf_counter() - began)
