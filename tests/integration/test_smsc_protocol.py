"""The simulator against smpplib, a client that we did not write."""

import select
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import smpplib.client
import smpplib.consts
import smpplib.exceptions
import smpplib.gsm

import carrier

QUICK = "[answers]\nlatency_ms = 1\njitter_ms = 0\n[receipts]\nmin_s = 0.01\nmean_s = 0.01\n"
PATIENCE_S = 10


class Esme:
    """smpplib, told to keep everything that it hears."""

    def __init__(self, port: int) -> None:
        self.client = smpplib.client.Client(
            "127.0.0.1", port, timeout=PATIENCE_S, allow_unknown_opt_params=True
        )
        self.answers: list[Any] = []
        self.receipts: list[Any] = []
        self.client.set_message_sent_handler(self._answered)
        self.client.set_message_received_handler(self._received)
        self.client.set_error_pdu_handler(self.answers.append)
        self.client.connect()

    def _answered(self, pdu: Any) -> None:
        self.answers.append(pdu)

    def _received(self, pdu: Any) -> int:
        self.receipts.append(pdu)
        return 0

    def submit(self, destination: str, octets: bytes = b"Hello", **parameters: Any) -> Any:
        return self.client.send_message(
            source_addr_ton=5,
            source_addr="Carillon",
            dest_addr_ton=1,
            dest_addr_npi=1,
            destination_addr=destination,
            short_message=octets,
            registered_delivery=True,
            **parameters,
        )

    def until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < deadline, "it did not happen in time"
            if select.select([self.client._socket], [], [], 0.05)[0]:
                self.client.read_once()


@contextmanager
def bound(port: int, kind: str = "transceiver", password: str = "secret") -> Iterator[Esme]:
    esme = Esme(port)
    try:
        getattr(esme.client, f"bind_{kind}")(system_id="carillon", password=password)
        yield esme
        esme.client.unbind()
    finally:
        esme.client.disconnect()


def test_a_message_is_answered_and_its_receipt_names_it(tmp_path: Path) -> None:
    with carrier.running(tmp_path, QUICK) as smsc, bound(smsc.port) as esme:
        esme.submit("491700000001", user_message_reference=4711)
        esme.until(lambda: bool(esme.receipts))
        [answer], [receipt] = esme.answers, esme.receipts
        message_id = answer.message_id
        assert receipt.esm_class == 0x04
        assert receipt.source_addr == b"491700000001"
        assert receipt.destination_addr == b"Carillon"
        assert receipt.short_message.startswith(b"id:" + message_id + b" sub:001 dlvrd:001 ")
        assert b" stat:DELIVRD err:000 text:" in receipt.short_message
        assert receipt.receipted_message_id.rstrip(b"\0") == message_id
        assert receipt.message_state == 2
        assert receipt.user_message_reference == 4711
        [line] = smsc.lines("accepted")
    assert line["message_id"] == message_id.decode()
    assert (line["destination"], line["source"]) == ("491700000001", "Carillon")
    assert (line["reference"], line["part"], line["parts"]) == (4711, 1, 1)


def test_parts_of_a_long_message_are_counted_in_the_ledger(tmp_path: Path) -> None:
    parts, encoding, flags = smpplib.gsm.make_parts("ж" * 150)
    with carrier.running(tmp_path, QUICK) as smsc, bound(smsc.port) as esme:
        for part in parts:
            esme.submit("491700000001", part, data_coding=encoding, esm_class=flags)
        esme.until(lambda: len(esme.receipts) == 3)
        told = [(line["part"], line["parts"]) for line in smsc.lines("accepted")]
    assert told == [(1, 3), (2, 3), (3, 3)]


@pytest.mark.parametrize(
    ("account", "status"),
    [
        ('system_id = "carillon"\npassword = "other"', "Invalid Password"),
        ('system_id = "other"\npassword = "secret"', "Invalid System ID"),
    ],
)
def test_wrong_credentials_are_refused_by_name(tmp_path: Path, account: str, status: str) -> None:
    with (
        carrier.running(tmp_path, f"[[accounts]]\n{account}") as smsc,
        pytest.raises(smpplib.exceptions.PDUError, match=status),
        bound(smsc.port),
    ):
        pass


def test_a_receiver_may_not_submit_but_gets_the_receipts(tmp_path: Path) -> None:
    with (
        carrier.running(tmp_path, QUICK) as smsc,
        bound(smsc.port, "receiver") as receiver,
        bound(smsc.port, "transmitter") as transmitter,
    ):
        transmitter.submit("491700000001")
        transmitter.until(lambda: bool(transmitter.answers))
        receiver.until(lambda: bool(receiver.receipts))
        assert not transmitter.receipts


def test_refusals_come_as_statuses_and_are_in_the_ledger(tmp_path: Path) -> None:
    config = "[answers]\nrefused = { ESME_RINVDSTADR = 1.0 }\n"
    with carrier.running(tmp_path, config) as smsc, bound(smsc.port) as esme:
        esme.submit("491700000001")
        esme.until(lambda: bool(esme.answers))
        assert esme.answers[0].status == smpplib.consts.SMPP_ESME_RINVDSTADR
        [line] = smsc.lines("refused")
        assert (line["destination"], line["status"]) == ("491700000001", "ESME_RINVDSTADR")
        assert not smsc.lines("accepted")


def test_a_query_tells_the_state_before_and_after_the_end(tmp_path: Path) -> None:
    slow = "[receipts]\nmin_s = 1\nmean_s = 0\nmissing = 1.0\n"
    states: list[int] = []
    with carrier.running(tmp_path, slow) as smsc, bound(smsc.port) as esme:
        esme.client.set_query_resp_handler(lambda pdu: states.append(pdu.message_state))
        esme.submit("491700000001")
        esme.until(lambda: bool(esme.answers))
        message_id = esme.answers[0].message_id.decode()

        def asked() -> bool:
            esme.client.query_message(
                message_id=message_id, source_addr_ton=5, source_addr="Carillon"
            )
            return bool(states) and states[-1] == 2

        esme.until(asked)
        assert states[0] == 1
        assert not esme.receipts
