"""Something that is looked at, and tells how often."""

import asyncio


class Look:
    """Counts how often it was looked, and waits until it may go on."""

    def __init__(self) -> None:
        self.times = 0
        self.may = asyncio.Event()
        self.may.set()

    async def __call__(self) -> int:
        """Return which look this was."""
        self.times += 1
        now = self.times
        await self.may.wait()
        return now
