"""What a link has to tell, one batch after the other."""

from dispatcher.links.link import Batch, Link


async def news(link: Link) -> Batch:
    """Wait until something has happened, then return all of it."""
    await link.stirred.wait()
    link.stirred.clear()
    return link.collect()
