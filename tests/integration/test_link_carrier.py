"""Our link against the simulator: what the sender may rely on, also when the carrier dies."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

import carrier
from dispatcher.links.link import Answer, Batch, Inbound, Link, Part, Report, Source
from dispatcher.links.registry import open_link
from dispatcher.links.settings import LinkSettings
from link_news import news
from smpp import text

QUICK = "[answers]\nlatency_ms = 1\njitter_ms = 0\n"
SOON = "[receipts]\nmin_s = 0.01\nmean_s = 0.01\n"


def part(number: int, octets: bytes = b"Hello") -> Part:
    source = Source("Carillon")
    return Part(
        ("c", number, 0), f"+49170{number:07d}", number, octets, 0, udh=False, source=source
    )


def parts(count: int) -> list[Part]:
    return [part(number) for number in range(count)]


def settings(port: int, **values: object) -> LinkSettings:
    return LinkSettings.model_validate(
        {
            "id": "sim",
            "host": "127.0.0.1",
            "port": port,
            "system_id": "carillon",
            "password": "secret",
            **values,
        }
    )


class Watched:
    """A link and everything that it ever told."""

    def __init__(self, link: Link) -> None:
        self.link = link
        self.answers: list[Answer] = []
        self.reports: list[Report] = []
        self.inbound: list[Inbound] = []
        self.acknowledging = True

    async def until(self, condition: Callable[[Batch], bool]) -> None:
        while True:
            batch = await news(self.link)
            self.answers += batch.answers
            self.reports += batch.reports
            self.inbound += batch.inbound
            if self.acknowledging:
                self.link.acknowledge([*batch.reports, *batch.inbound])
            if condition(batch):
                return

    async def answered(self, count: int) -> list[Answer]:
        while len(self.answers) < count:
            await self.until(lambda _: len(self.answers) >= count)
        return self.answers

    async def reported(self, count: int) -> list[Report]:
        while len(self.reports) < count:
            await self.until(lambda _: len(self.reports) >= count)
        return self.reports


@asynccontextmanager
async def linked(port: int, **values: object) -> AsyncIterator[Watched]:
    async with open_link(settings(port, **values)) as link:
        watched = Watched(link)
        await watched.until(lambda batch: batch.up)
        yield watched


async def test_a_message_comes_back_accepted_and_then_delivered(tmp_path: Path) -> None:
    with carrier.running(tmp_path, QUICK + SOON) as smsc:
        async with linked(smsc.port) as sim:
            sim.link.submit([part(7)])
            [answer] = await sim.answered(1)
            [report] = await sim.reported(1)
    assert (answer.key, answer.status, answer.verdict) == (("c", 7, 0), 0, "accepted")
    assert report.message_id == answer.message_id
    assert (report.state, report.stat, report.error) == ("delivered", "DELIVRD", "000")
    assert (report.destination, report.source, report.reference) == ("491700000007", "Carillon", 7)
    [line] = smsc.lines("accepted")
    assert line["destination"] == "491700000007"


async def test_every_part_of_a_long_message_arrives_as_a_part(tmp_path: Path) -> None:
    encoded = text.encode("ж" * 100, reference=9)
    long = [
        Part(("c", 1, index), "+491701", 1, one.octets, one.data_coding, one.udh, Source("Ac"))
        for index, one in enumerate(encoded)
    ]
    with carrier.running(tmp_path, QUICK + SOON) as smsc:
        async with linked(smsc.port) as sim:
            sim.link.submit(long)
            await sim.reported(2)
        assert [(line["part"], line["parts"]) for line in smsc.lines("accepted")] == [
            (1, 2),
            (2, 2),
        ]


@pytest.mark.parametrize(
    ("answers", "reports", "dlr_ids"),
    [("decimal", "hex", "hex"), ("hex", "decimal", "decimal"), ("hex", "same", "auto")],
)
async def test_ids_match_whatever_base_receipts_use(
    tmp_path: Path, answers: str, reports: str, dlr_ids: str
) -> None:
    config = f'{QUICK}ids = "{answers}"\n{SOON}ids = "{reports}"\n'
    with carrier.running(tmp_path, config) as smsc:
        async with linked(smsc.port, dlr_ids=dlr_ids) as sim:
            sim.link.submit(parts(5))
            await sim.answered(5)
            await sim.reported(5)
    assert {answer.message_id for answer in sim.answers} == {
        report.message_id for report in sim.reports
    }


async def test_refusals_are_told_apart(tmp_path: Path) -> None:
    refused = "{ ESME_RINVDSTADR = 0.25, ESME_RSYSERR = 0.25, ESME_RMSGQFUL = 0.25 }"
    with carrier.running(tmp_path, f"{QUICK}refused = {refused}\n{SOON}") as smsc:
        async with linked(smsc.port) as sim:
            sim.link.submit(parts(50))
            answers = await sim.answered(50)
    verdicts = {(answer.status, answer.verdict) for answer in answers}
    assert verdicts == {
        (0x00, "accepted"),
        (0x0B, "permanent"),
        (0x08, "temporary"),
        (0x14, "throttled"),
    }


async def test_too_fast_is_throttled_and_fails_nothing(tmp_path: Path) -> None:
    config = f"{QUICK}{SOON}[throttle]\nper_second = 10\nburst = 5\n"
    with carrier.running(tmp_path, config) as smsc:
        async with linked(smsc.port) as sim:
            sim.link.submit(parts(20))
            answers = await sim.answered(20)
        throttled = [answer for answer in answers if answer.verdict == "throttled"]
        assert 10 <= len(throttled) <= 15
        assert len(smsc.lines("throttled")) == len(throttled)


async def test_the_window_is_what_may_be_unanswered(tmp_path: Path) -> None:
    with carrier.running(tmp_path, "[answers]\nlatency_ms = 100\njitter_ms = 0\n") as smsc:
        async with linked(smsc.port, window=4) as sim:
            assert sim.link.room() == 4
            sim.link.submit(parts(4))
            assert sim.link.room() == 0
            await sim.answered(4)
            assert sim.link.room() == 4


async def test_a_connection_cut_in_mid_window_leaves_unknowns_and_comes_back(
    tmp_path: Path,
) -> None:
    config = "[answers]\nlatency_ms = 500\n[faults]\ndrop_after = 10\n"
    with carrier.running(tmp_path, config) as smsc:
        async with linked(smsc.port, window=20) as sim:
            sim.link.submit(parts(20))
            answers = await sim.answered(20)
            assert {answer.verdict for answer in answers} == {"unknown"}
            assert len(smsc.lines("accepted")) == 10
            assert sim.link.room() == 0
            sim.link.submit([part(99)])
            assert (await sim.answered(21))[-1].verdict == "unsent"
            await sim.until(lambda batch: batch.up)
            assert sim.link.room() == 20


async def test_reports_are_told_again_until_they_are_acknowledged(tmp_path: Path) -> None:
    config = f"{QUICK}{SOON}retry_after_s = 0.3\n"
    with carrier.running(tmp_path, config) as smsc:
        async with linked(smsc.port) as sim:
            sim.acknowledging = False
            sim.link.submit([part(1)])
            reports = await sim.reported(3)
            assert len(set(reports)) >= 1
            assert {report.destination for report in reports} == {"491700000001"}
            assert not smsc.lines("receipt")
            sim.link.acknowledge(reports[-1:])
            sim.acknowledging = True
            sim.link.submit([part(2)])
            await sim.until(lambda batch: any(one.reference == 2 for one in batch.reports))
        smsc.stop()
        acknowledged = {line["destination"]: line for line in smsc.lines("receipt")}
    assert set(acknowledged) == {"491700000001", "491700000002"}
    assert acknowledged["491700000001"]["tries"] >= 3


async def test_reports_for_an_absent_link_wait_for_it(tmp_path: Path) -> None:
    with carrier.running(tmp_path, f"{QUICK}[receipts]\nmin_s = 0.5\nmean_s = 0\n") as smsc:
        async with linked(smsc.port) as sim:
            sim.link.submit(parts(5))
            ids = {answer.message_id for answer in await sim.answered(5)}
        async with linked(smsc.port) as sim:
            reports = await sim.reported(5)
    assert {report.message_id for report in reports} == ids


async def test_the_link_finds_back_to_a_carrier_that_died(tmp_path: Path) -> None:
    with carrier.running(tmp_path, f"{QUICK}[receipts]\nmin_s = 0.3\nmean_s = 0\n") as smsc:
        async with linked(smsc.port) as sim:
            sim.link.submit(parts(5))
            ids = {answer.message_id for answer in await sim.answered(5)}
            smsc.kill()
            await sim.until(lambda batch: not batch.up)
            assert sim.link.reason is not None
            smsc.start()
            await sim.until(lambda batch: batch.up)
            await sim.reported(5)
    assert {report.message_id for report in sim.reports} == ids


async def test_a_refused_bind_is_a_state_with_a_reason(tmp_path: Path) -> None:
    with carrier.running(tmp_path) as smsc:
        async with open_link(settings(smsc.port, password="wrong")) as link:
            batch = await news(link)
            assert not batch.up
            assert batch.reason == "bind refused: ESME_RINVPASWD"
            assert link.room() == 0


async def test_what_people_write_comes_in_and_is_acknowledged_too(tmp_path: Path) -> None:
    config = f'{QUICK}{SOON}[replies]\nshare = 1.0\ntext = "STOP"\ndelay_s = 0\n'
    with carrier.running(tmp_path, config) as smsc:
        async with linked(smsc.port) as sim:
            sim.link.submit([part(3)])
            await sim.until(lambda _: bool(sim.inbound))
        [inbound] = sim.inbound
        assert (inbound.text, inbound.source) == ("STOP", "491700000003")
        assert inbound.destination == "Carillon"
        smsc.stop()
        assert len(smsc.lines("inbound")) == 1


async def test_leaving_unbinds_so_that_the_place_is_free_at_once(tmp_path: Path) -> None:
    config = '[[accounts]]\nsystem_id = "carillon"\npassword = "secret"\nmax_sessions = 1\n'
    with carrier.running(tmp_path, config) as smsc:
        for _ in range(3):
            async with open_link(settings(smsc.port)) as link:
                batch = await news(link)
                assert batch.up
