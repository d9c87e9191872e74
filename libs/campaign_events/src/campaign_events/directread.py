"""Batched direct get (ADR-31): one thing's history in one request, over one long-lived inbox."""

import asyncio
from itertools import count

import nats.errors
import orjson
from nats.aio.client import Client
from nats.aio.msg import Msg

END_OF_BATCH = "204"
NOTHING = "404"

type Entry = tuple[int, str, bytes]
"""Sequence, subject and payload of one log entry."""


class ReadFailed(Exception):
    """The server refused or did not finish a read; nothing was changed, ask again."""


class _Answer:
    """The entries of one request, until its end marker comes."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.done: asyncio.Future[int] = asyncio.get_running_loop().create_future()


class DirectReader:
    """Reads by subject from a stream with `allow_direct`; safe for many readers at once."""

    BATCH = 500

    def __init__(self, nc: Client, *, timeout_s: float = 5.0) -> None:
        self._nc = nc
        self._timeout_s = timeout_s
        self._answers: dict[str, _Answer] = {}
        self._tokens = count()
        self._inbox: str | None = None
        self._opening = asyncio.Lock()

    async def read(self, stream: str, subject: str, first: int = 1) -> list[Entry]:
        """Return all entries on a subject from the sequence `first` on, oldest first.

        Raises:
            ReadFailed: no full answer in time.

        """
        entries: list[Entry] = []
        while True:
            page, pending = await self.page(stream, subject, first)
            entries += page
            if pending == 0 or not page:
                return entries
            first = page[-1][0] + 1

    async def page(self, stream: str, subject: str, first: int) -> tuple[list[Entry], int]:
        """Return up to `BATCH` entries from `first` on, and how many there are behind them.

        Raises:
            ReadFailed: no full answer in time.

        """
        inbox = await self._open()
        token = str(next(self._tokens))
        answer = self._answers[token] = _Answer()
        body = {"batch": self.BATCH, "seq": first, "next_by_subj": subject}
        try:
            await self._nc.publish(
                f"$JS.API.DIRECT.GET.{stream}", orjson.dumps(body), reply=f"{inbox}.{token}"
            )
            pending = await asyncio.wait_for(answer.done, self._timeout_s)
        except (TimeoutError, nats.errors.Error) as error:
            raise ReadFailed(f"no full answer from {stream} for {subject}: {error!r}") from error
        finally:
            del self._answers[token]
        return answer.entries, pending

    async def _open(self) -> str:
        async with self._opening:
            if self._inbox is None:
                inbox = self._nc.new_inbox()
                await self._nc.subscribe(
                    f"{inbox}.*",
                    cb=self._receive,
                    pending_msgs_limit=-1,
                    pending_bytes_limit=-1,
                )
                self._inbox = inbox
            return self._inbox

    async def _receive(self, message: Msg) -> None:
        answer = self._answers.get(message.subject.rpartition(".")[2])
        if answer is None:
            return
        headers = message.headers or {}
        status = headers.get("Status")
        if status is None:
            place = int(headers["Nats-Sequence"]), headers["Nats-Subject"]
            answer.entries.append((*place, message.data))
        elif answer.done.done():
            return
        elif status == END_OF_BATCH:
            answer.done.set_result(int(headers.get("Nats-Num-Pending", "0")))
        elif status == NOTHING:
            answer.done.set_result(0)
        else:
            answer.done.set_exception(ReadFailed(f"{status} {headers.get('Description', '')}"))
