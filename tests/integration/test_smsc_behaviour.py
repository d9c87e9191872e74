"""What the simulator promises to tests: fate by seed, a ledger to trust, debts that survive."""

import asyncio
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from pydantic import ValidationError

import carrier
from campaign_events.table_file import TableFileError
from dispatcher.links.file import LINKS_FILE
from dispatcher.links.link import Part, Source
from dispatcher.links.registry import open_link
from dispatcher.links.settings import LinkSettings
from link_news import news
from smpp import short_message
from smpp.short_message import Address, ShortMessage
from smsc.carrier import Carrier
from smsc.config import Config, Throttle, load
from smsc.fate import Fate, Fates
from smsc.ledger import Ledger
from smsc.message import Owed
from smsc.throttle import Gate

ROOT = Path(__file__).parents[2]
UNLUCKY = """
seed = 5
[answers]
latency_ms = 1
jitter_ms = 1
refused = { ESME_RINVDSTADR = 0.1, ESME_RSYSERR = 0.1 }
[receipts]
min_s = 0.01
mean_s = 0.02
states = [{ stat = "UNDELIV", error = "001", share = 0.2 }]
"""


async def submitted(port: int, numbers: list[int], receipts: int = 0) -> list[str | None]:
    """Submit to these numbers, wait for answers and receipts, tell the message ids."""
    link_settings = LinkSettings.model_validate(
        {
            "id": "sim",
            "host": "127.0.0.1",
            "port": port,
            "system_id": "carillon",
            "password": "secret",
            "window": 1000,
        }
    )
    parts = [
        Part(("c", n, 0), f"49170{n:07d}", n, b"x", 0, udh=False, source=Source("Carillon"))
        for n in numbers
    ]
    ids: list[str | None] = []
    reported = 0
    async with open_link(link_settings) as link:
        while len(ids) < len(numbers) or reported < receipts:
            batch = await news(link)
            if batch.up and parts:
                link.submit(parts)
                parts = []
            ids += [answer.message_id for answer in batch.answers]
            reported += len(batch.reports)
            link.acknowledge(batch.reports)
    return ids


def outcomes(smsc: carrier.Carrier) -> dict[str, str]:
    lines = smsc.lines("accepted", "refused")
    return {line["destination"]: line.get("stat") or line["status"] for line in lines}


async def test_the_same_seed_gives_every_number_the_same_fate_in_any_order(tmp_path: Path) -> None:
    told = []
    for name, step in (("forward", 1), ("backward", -1)):
        folder = tmp_path / name
        folder.mkdir()
        with carrier.running(folder, UNLUCKY) as smsc:
            await submitted(smsc.port, list(range(200))[::step])
            told.append(outcomes(smsc))
    assert told[0] == told[1]
    assert set(told[0].values()) == {"DELIVRD", "UNDELIV", "ESME_RINVDSTADR", "ESME_RSYSERR"}


def shares(config: dict[str, object], number: int = 20_000) -> list[Fate]:
    fates = Fates(Config.model_validate(config))
    return [fates.of(f"4917{n:08d}", 1) for n in range(number)]


def test_the_shares_of_the_file_are_met() -> None:
    told = shares(
        {
            "answers": {"refused": {"ESME_RINVDSTADR": 0.1}, "unanswered": 0.05},
            "receipts": {
                "early": 0.1,
                "duplicate": 0.2,
                "missing": 0.3,
                "states": [{"stat": "EXPIRED", "share": 0.15}],
            },
        }
    )
    whole = len(told)
    assert sum(fate.refused == 0x0B for fate in told) / whole == pytest.approx(0.1, abs=0.01)
    assert sum(not fate.answered for fate in told) / whole == pytest.approx(0.05, abs=0.01)
    assert sum(fate.stat == "EXPIRED" for fate in told) / whole == pytest.approx(0.15, abs=0.01)
    assert sum(fate.early for fate in told) / whole == pytest.approx(0.1, abs=0.01)
    receipts = Counter(fate.receipts for fate in told)
    assert receipts[2] / whole == pytest.approx(0.2, abs=0.01)
    assert receipts[0] / whole == pytest.approx(0.3, abs=0.01)


def test_another_try_and_another_seed_are_another_fate() -> None:
    config = {"answers": {"refused": {"ESME_RSYSERR": 0.5}}}
    fates, others = (Fates(Config.model_validate({"seed": seed, **config})) for seed in (1, 2))
    numbers = [f"4917{n:08d}" for n in range(200)]
    first, second = [fates.next(n) for n in numbers], [fates.next(n) for n in numbers]
    assert first != second
    assert first != [others.next(n) for n in numbers]


async def test_a_killed_carrier_goes_on_with_its_ledger_its_ids_and_its_debts(
    tmp_path: Path,
) -> None:
    config = UNLUCKY.replace("min_s = 0.01", "min_s = 0.5")
    with carrier.running(tmp_path, config) as smsc:
        before = await submitted(smsc.port, list(range(100)))
        smsc.kill()
        with smsc.ledger.open("ab") as book:
            book.write(b'{"event":"accepted","torn')
        smsc.start()
        accepted = sum(one is not None for one in before)
        after = await submitted(smsc.port, list(range(100)), receipts=accepted)
        smsc.stop()
        ids = [line["message_id"] for line in smsc.lines("accepted")]
        receipts = Counter(line["message_id"] for line in smsc.lines("receipt"))
        fates = Fates(load(smsc.config))
    assert len(ids) == len(set(ids))
    assert set(ids) == {one for one in before + after if one is not None}
    assert max(int(one) for one in before if one) < min(int(one) for one in after if one)
    assert set(receipts.values()) == {1}
    assert set(receipts) <= set(ids)
    first = [fates.next(f"49170{number:07d}") for number in range(100)]
    second = [fates.next(f"49170{number:07d}") for number in range(100)]
    assert len(ids) == sum(not fate.refused for fate in first + second)


async def test_early_duplicate_and_missing_receipts_and_missing_answers(tmp_path: Path) -> None:
    def config(answers: str, receipts: str) -> str:
        return f"[answers]\nlatency_ms = 20\n{answers}\n[receipts]\nmin_s = 0.01\n{receipts}\n"

    for name, answers, receipts, expected in (
        ("duplicate", "", "mean_s = 0\nduplicate = 1.0", 20),
        ("early", "", "early = 1.0", 10),
        ("missing", "", "missing = 1.0", 0),
    ):
        folder = tmp_path / name
        folder.mkdir()
        with carrier.running(folder, config(answers, receipts)) as smsc:
            await submitted(smsc.port, list(range(10)), receipts=expected)
            smsc.stop()
            assert len(smsc.lines("receipt")) == expected
            if name == "early":
                events = [line["event"] for line in smsc.lines("accepted", "receipt")]
                assert events == ["accepted"] * 10 + ["receipt"] * 10


class Phone:
    """A bound session, which notes in which order it was answered and told."""

    system_id = "carillon"

    def __init__(self) -> None:
        self.unacknowledged: dict[int, tuple[Owed, float]] = {}
        self.heard: list[str] = []

    def send(self, pdu: bytes) -> None:
        del pdu
        self.heard.append("answer")

    def flush(self) -> None: ...

    def deliver(self, body: bytes) -> int:
        self.heard.append(f"receipt of {short_message.decode(body).source.digits}")
        return len(self.heard)


async def test_a_carrier_that_was_held_up_still_answers_before_it_reports() -> None:
    how = {"answers": {"latency_ms": 20, "jitter_ms": 0}, "receipts": {"min_s": 0.06, "mean_s": 0}}
    config = Config.model_validate(how)
    smsc, phone = Carrier(config, Ledger(None), Fates(config), 1), Phone()
    smsc.outbox(phone.system_id).join(phone)
    for sequence, digits in enumerate(("1", "2"), 1):
        to = ShortMessage(Address("Me"), Address(digits), b"x", registered_delivery=1)
        smsc.submit(phone, sequence, to, time.monotonic())
        if digits == "1":
            await asyncio.sleep(0.05)
    time.sleep(0.15)  # noqa: ASYNC251 - it is held up: both timers are behind
    async with asyncio.timeout(5):
        while len(phone.heard) < 4:
            await asyncio.sleep(0)
    smsc.close()
    assert phone.heard == ["answer", "answer", "receipt of 1", "receipt of 2"]


async def test_sigterm_ends_it_with_exit_code_zero(tmp_path: Path) -> None:
    with carrier.running(tmp_path, UNLUCKY) as smsc:
        await submitted(smsc.port, [1, 2, 3])
        assert smsc.stop() == 0
        assert len(smsc.lines("accepted", "refused")) == 3


def test_a_key_that_it_does_not_know_keeps_it_from_starting(tmp_path: Path) -> None:
    config = tmp_path / "smsc.toml"
    config.write_text("[answers]\nlatency = 3\n")
    ended = subprocess.run(
        [sys.executable, "-m", "smsc", "--config", config, "--port", "0"],
        capture_output=True,
        check=False,
        timeout=20,
    )
    assert ended.returncode == 2
    assert b"answers.latency" in ended.stderr


def test_a_storm_refuses_its_share_while_it_rages() -> None:
    storm = {"after_s": 10, "for_s": 5, "every_s": 60, "share": 0.5}
    gate = Gate(Throttle.model_validate({"storms": [storm]}), seed=1, started=1000.0)

    def refused(at: float) -> int:
        return sum(gate.refuses("carillon", 1000.0 + at) == 0x58 for _ in range(1000))

    assert [refused(at) for at in (0, 9.9, 15.1, 69.9, 75.1)] == [0] * 5
    assert all(400 < refused(at) < 600 for at in (10, 14.9, 70, 74.9, 130))


def test_a_rate_limit_lets_the_burst_and_then_the_rate_through() -> None:
    gate = Gate(Throttle(per_second=100, burst=20), seed=1, started=0.0)
    passed = [sum(not gate.refuses("a", at) for _ in range(50)) for at in (0.0, 0.1, 10.0)]
    assert passed == [20, 10, 20]
    assert not gate.refuses("b", 10.0)


@pytest.mark.parametrize(
    "wrong",
    [
        {"answers": {"refused": {"ESME_NO": 0.1}}},
        {"answers": {"refused": {"ESME_ROK": 0.1}}},
        {"answers": {"refused": {"ESME_RSYSERR": 0.6, "ESME_RINVDSTADR": 0.6}}},
        {"receipts": {"states": [{"stat": "LOST", "share": 0.1}]}},
        {"receipts": {"early": 0.6, "missing": 0.6}},
        {"throttle": {"storms": [{"status": "bad"}]}},
    ],
)
def test_a_file_that_makes_no_sense_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Config.model_validate(wrong)


def test_the_example_file_is_valid() -> None:
    assert load(ROOT / "deploy/simulators/smsc/smsc.toml").answers.latency_ms == 20


def test_links_are_read_with_their_defaults_and_mistakes_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "links.toml"
    table = (
        '[[links]]\nid = "sim"\nhost = "127.0.0.1"\nport = 2775\nsystem_id = "c"\npassword = "p"\n'
    )
    file.write_text(table)
    [link] = LINKS_FILE.load(file)
    assert (link.window, link.segments_per_second, link.on_unknown) == (50, 100, "fail")
    assert (link.enquire_link_s, link.dlr_ids, link.sessions, link.title) == (30, "auto", 1, "sim")
    assert "p" not in repr(link.password)
    for wrong in (table + table, table + "speed = 3\n", table + "window = 0\n"):
        file.write_text(wrong)
        with pytest.raises(TableFileError):
            LINKS_FILE.load(file)
