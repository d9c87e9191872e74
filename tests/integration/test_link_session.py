"""Our link against a scripted carrier that misbehaves on purpose, octet by octet."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import pytest

from dispatcher.links import inbox
from dispatcher.links.link import Answer, Link, Part, Source
from dispatcher.links.registry import open_link
from dispatcher.links.settings import LinkSettings
from link_news import news
from smpp import pdu, short_message
from smpp.command import RESPONSE, Command
from smpp.framing import Frame, Framer, pack
from smpp.pdu import BindResp
from smpp.short_message import Address, ShortMessage
from smpp.status import Status

type Script = Callable[[Frame, asyncio.StreamWriter], Awaitable[None]]
BINDS = Command.BIND_TRANSCEIVER


def part(number: int) -> Part:
    source = Source("Carillon")
    return Part(
        ("c", number, 0), f"+49170{number:07d}", number, b"Hello", 0, udh=False, source=source
    )


@asynccontextmanager
async def scripted(script: Script, **settings: object) -> AsyncIterator[Link]:
    """A link to a carrier that grants every bind and answers the rest by the script."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        framer = Framer()
        with suppress(ConnectionError):
            while data := await reader.read(65536):
                for frame in framer.feed(data):
                    if frame.command == BINDS:
                        writer.write(pdu.encode(BINDS | RESPONSE, frame.sequence, BindResp("x")))
                    else:
                        await script(frame, writer)
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    values = {
        "id": "scripted",
        "host": "127.0.0.1",
        "port": server.sockets[0].getsockname()[1],
        "system_id": "carillon",
        "password": "secret",
        **settings,
    }
    async with server:
        async with open_link(LinkSettings.model_validate(values)) as link:
            while not link.up:
                await news(link)
            yield link
        server.close()


async def silent(_frame: Frame, _writer: asyncio.StreamWriter) -> None:
    """Say nothing to anything."""


async def test_a_submit_without_an_answer_becomes_unknown_and_its_late_answer_is_told() -> None:
    answers = asyncio.Event()

    async def slow(frame: Frame, writer: asyncio.StreamWriter) -> None:
        if frame.command == Command.SUBMIT_SM:
            await answers.wait()
            writer.write(short_message.submit_sm_resp(frame.sequence, "007F"))

    async with scripted(slow, window=1, submit_timeout_s=0.1) as link:
        link.submit([part(1)])
        assert link.room() == 0
        batch = await news(link)
        assert [(answer.key, answer.verdict) for answer in batch.answers] == [
            (("c", 1, 0), "unknown")
        ]
        assert link.room() == 1
        answers.set()
        batch = await news(link)
        assert not batch.answers
        assert [(late.key, late.message_id, late.verdict) for late in batch.late] == [
            (("c", 1, 0), "7f", "accepted")
        ]


async def test_a_generic_nack_refuses_the_submit_it_names() -> None:
    async def nack(frame: Frame, writer: asyncio.StreamWriter) -> None:
        writer.write(pack(Command.GENERIC_NACK, Status.ESME_RTHROTTLED, frame.sequence))

    async with scripted(nack) as link:
        link.submit([part(1)])
        batch = await news(link)
        assert [(answer.status, answer.verdict) for answer in batch.answers] == [
            (0x58, "throttled")
        ]


async def test_a_carrier_that_answers_nothing_is_left() -> None:
    async with scripted(silent, enquire_link_s=0.1) as link:
        while link.up:
            batch = await news(link)
        assert batch.reason == "no answer to enquire_link"


async def test_an_answer_to_enquire_link_is_never_taken_for_one_to_a_submit() -> None:
    enquired = asyncio.Event()

    async def same_number(frame: Frame, writer: asyncio.StreamWriter) -> None:
        if frame.command == Command.SUBMIT_SM:
            writer.write(pack(Command.ENQUIRE_LINK_RESP, 0, frame.sequence))
            writer.write(pack(Command.ENQUIRE_LINK, 0, frame.sequence))
        elif frame.command == Command.ENQUIRE_LINK_RESP:
            enquired.set()
            writer.write(short_message.submit_sm_resp(frame.sequence, "1"))

    async with scripted(same_number) as link:
        link.submit([part(1)])
        batch = await news(link)
        assert enquired.is_set()
        assert [answer.verdict for answer in batch.answers] == ["accepted"]


async def test_a_stream_that_lost_its_place_is_left_and_what_was_on_the_way_is_unknown() -> None:
    async def rubbish(_frame: Frame, writer: asyncio.StreamWriter) -> None:
        writer.write(b"\xff" * 16)

    async with scripted(rubbish) as link:
        link.submit([part(1)])
        batch = await news(link)
        assert [answer.verdict for answer in batch.answers] == ["unknown"]
        assert not batch.up
        assert (batch.reason or "").startswith("unreadable")


async def test_what_does_not_fit_the_window_is_unsent() -> None:
    async with scripted(silent, window=3) as link:
        link.submit([part(number) for number in range(5)])
        batch = await news(link)
        assert [(answer.key[1], answer.verdict) for answer in batch.answers] == [
            (3, "unsent"),
            (4, "unsent"),
        ]


async def test_parts_are_spread_over_the_windows_of_all_sessions() -> None:
    async with scripted(silent, window=4, sessions=3) as link:
        while link.room() < 12:
            await news(link)
        link.submit([part(number) for number in range(7)])
        assert link.room() == 5
        assert link.reason is None


async def test_an_unreadable_deliver_sm_is_declined_and_the_session_lives_on() -> None:
    declined = asyncio.Event()

    async def broken(frame: Frame, writer: asyncio.StreamWriter) -> None:
        if frame.command == Command.SUBMIT_SM:
            writer.write(pack(Command.DELIVER_SM, 0, 9, b"\0\0"))
        elif frame.command == Command.DELIVER_SM_RESP and frame.status == Status.ESME_RX_P_APPN:
            declined.set()

    async with scripted(broken) as link:
        link.submit([part(1)])
        await declined.wait()
        assert link.up


async def test_nobody_collecting_stops_the_reading_until_somebody_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(inbox, "MOST_ARRIVALS", 10)
    blocked = asyncio.Event()
    total = 3_000
    message = ShortMessage(Address("49170"), Address("Carillon"), b"x" * 200)

    async def flood(frame: Frame, writer: asyncio.StreamWriter) -> None:
        if frame.command != Command.SUBMIT_SM:
            return
        for sequence in range(1, total + 1):
            writer.write(short_message.deliver_sm(sequence, message))
        writer.transport.set_write_buffer_limits(0)
        blocked.set()
        await writer.drain()

    async with scripted(flood) as link:
        link.submit([part(1)])
        await blocked.wait()
        first = await news(link)
        assert 10 <= len(first.inbound) < total
        came = len(first.inbound)
        while came < total:
            batch = await news(link)
            link.acknowledge(batch.inbound)
            came += len(batch.inbound)
        assert came == total


async def test_an_unbind_by_the_carrier_is_answered_and_told() -> None:
    answered = asyncio.Event()

    async def dismiss(frame: Frame, writer: asyncio.StreamWriter) -> None:
        if frame.command == Command.SUBMIT_SM:
            writer.write(pack(Command.UNBIND, 0, 5))
        elif frame == Frame(Command.UNBIND_RESP, 0, 5, b""):
            answered.set()

    async with scripted(dismiss) as link:
        link.submit([part(1)])
        batch = await news(link)
        assert batch.reason == "unbound by the carrier"
        assert [answer.verdict for answer in batch.answers] == ["unknown"]
        await answered.wait()


async def test_a_part_that_can_not_be_written_fails_and_the_next_one_goes() -> None:
    async def take(frame: Frame, writer: asyncio.StreamWriter) -> None:
        if frame.command == Command.SUBMIT_SM:
            writer.write(short_message.submit_sm_resp(frame.sequence, "1"))

    async with scripted(take) as link:
        link.submit([part(1)._replace(destination="+49\u0661"), part(2)])
        answers: list[Answer] = []
        while len(answers) < 2:
            answers += (await news(link)).answers
        told = {answer.key[1]: (answer.verdict, answer.status) for answer in answers}
        assert link.health().window_used == 0
    assert told == {1: ("permanent", Status.ESME_RSUBMITFAIL), 2: ("accepted", 0)}
