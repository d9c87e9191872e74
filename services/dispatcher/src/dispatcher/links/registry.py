"""Which implementation speaks for which `type` in links.toml: one line per protocol."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Final

from dispatcher.links.link import Link
from dispatcher.links.settings import LinkSettings
from dispatcher.links.smpp import open_smpp_link

type Opener = Callable[[LinkSettings], AbstractAsyncContextManager[Link]]

LINK_TYPES: Final[dict[str, Opener]] = {
    "smpp": open_smpp_link,
}


def open_link(settings: LinkSettings) -> AbstractAsyncContextManager[Link]:
    """Keep the link connected inside the `async with` block; leaving it unbinds."""
    return LINK_TYPES[settings.type](settings)
