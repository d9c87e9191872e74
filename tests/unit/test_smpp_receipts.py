from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smpp import message_ids, receipt, short_message, text, tlv
from smpp.framing import MalformedPduError
from smpp.message_ids import DlrIds
from smpp.receipt import MessageState, Receipt
from smpp.short_message import INTERIM_NOTICE, RECEIPT, Address, ShortMessage


def a_receipt(text: bytes, tlvs: dict[int, bytes] | None = None) -> Receipt:
    message = ShortMessage(
        Address("49170", 1, 1), Address("Ac", 5), text, esm_class=RECEIPT, tlvs=tlvs or {}
    )
    assert receipt.is_receipt(message)
    return receipt.read(message)


def test_a_receipt_reads_as_it_was_written() -> None:
    text = receipt.write(
        "4711",
        "UNDELIV",
        error="001",
        submitted="2611220130",
        done="2611220131",
        delivered=False,
        text="Hello",
    )
    assert text == (
        b"id:4711 sub:001 dlvrd:000 submit date:2611220130 done date:2611220131 "
        b"stat:UNDELIV err:001 text:Hello"
    )
    assert a_receipt(text) == Receipt("4711", None, "UNDELIV", "001", "2611220131", None)


@pytest.mark.parametrize(
    "text",
    [
        b"id:77 stat:DELIVRD",
        b"ID:77 STAT:delivrd ERR:000",
        b"id: 77  sub:1 dlvrd:1 submit date: 261122013000 done date: soon stat: DELIVRD err:0",
        b"stat:DELIVRD, id:77, text:id:88 stat:REJECTD",
        b"id:77 submit_date:2611220130 done_date:2611220131 stat:DELIVRD err: text:",
        b"id:77\r\nstat:DELIVRD\0",
    ],
)
def test_free_forms_of_receipts_are_understood(text: bytes) -> None:
    said = a_receipt(text)
    assert (said.text_id, said.stat) == ("77", "DELIVRD")


@pytest.mark.parametrize("data_coding", [text.UCS_2, 0x18, 0xE0])
@pytest.mark.parametrize("written", ["utf-16-be", "utf-16", "ascii"])
def test_receipts_are_understood_whichever_way_their_octets_fit_data_coding(
    written: str, data_coding: int
) -> None:
    octets = "id:a_77 stat:DELIVRD err:001 text:Grüße".encode(written, "replace")
    message = ShortMessage(
        Address("49170", 1, 1), Address("Ac", 5), octets, data_coding, esm_class=RECEIPT
    )

    said = receipt.read(short_message.decode(short_message.encode(message)))

    assert (said.text_id, said.stat, said.error) == ("a_77", "DELIVRD", "001")


def test_what_is_no_receipt_in_utf_16_either_decides_nothing() -> None:
    message = ShortMessage(
        Address("49170", 1, 1), Address("Ac", 5), b"\0i\0d\0", text.UCS_2, esm_class=RECEIPT
    )
    assert receipt.read(message) == Receipt(None, None, "UNKNOWN", None, "", None)


def test_optional_parameters_win_over_the_text() -> None:
    said = a_receipt(
        b"id:77 stat:ENROUTE err:000",
        {
            tlv.RECEIPTED_MESSAGE_ID: b"4d\0",
            tlv.MESSAGE_STATE: bytes((MessageState.EXPIRED,)),
            tlv.USER_MESSAGE_REFERENCE: b"\x01\x02",
            tlv.NETWORK_ERROR_CODE: b"\x03\x00\x1b",
        },
    )
    assert said == Receipt("77", "4d", "EXPIRED", "000", "", 0x0102)


def test_a_receipt_that_says_nothing_decides_nothing() -> None:
    assert a_receipt(b"\xff\xfe") == Receipt(None, None, "UNKNOWN", None, "", None)


@given(st.binary(max_size=200))
def test_no_receipt_text_is_too_strange_to_read(text: bytes) -> None:
    a_receipt(text)


def test_a_receipt_is_known_by_its_class_or_its_id() -> None:
    plain = ShortMessage(Address("1"), Address("2"), b"STOP")
    assert not receipt.is_receipt(plain)
    assert receipt.is_receipt(plain._replace(esm_class=INTERIM_NOTICE))
    assert receipt.is_receipt(plain._replace(tlvs={tlv.RECEIPTED_MESSAGE_ID: b"1\0"}))


@pytest.mark.parametrize(
    ("digits", "read"),
    [
        ("2611220130", datetime(2026, 11, 22, 1, 30)),  # noqa: DTZ001 - carriers name no zone
        ("261122013059", datetime(2026, 11, 22, 1, 30, 59)),  # noqa: DTZ001
        ("2699220130", None),
        ("soon", None),
    ],
)
def test_dates_of_ten_and_twelve_digits_are_read(digits: str, read: datetime | None) -> None:
    assert receipt.date(digits) == read


@pytest.mark.parametrize(
    ("raw", "folded"), [("00AB12", "ab12"), (" 7 ", "7"), ("000", "0"), ("", "")]
)
def test_ids_are_compared_without_padding_and_case(raw: str, folded: str) -> None:
    assert message_ids.folded(raw) == folded


def readings(text_id: str | None, tlv_id: str | None, dlr_ids: DlrIds) -> tuple[str, ...]:
    said = Receipt(text_id, tlv_id, "DELIVRD", None, "", None)
    return message_ids.receipted(said, dlr_ids)


@given(st.integers(1, 2**60), st.sampled_from(["{:X}", "{:x}", "{:012X}", "{:d}", "{:020d}"]))
def test_the_id_of_the_answer_is_always_among_the_readings(number: int, layout: str) -> None:
    raw = layout.format(number)
    for answered in (str(number), f"{number:x}"):
        assert message_ids.folded(answered) in readings(raw, None, "auto")


def test_the_setting_says_which_reading_comes_first() -> None:
    answered = message_ids.folded("0000305419896")
    assert readings("305419896", None, "auto")[0] == answered
    assert readings("12345678", None, "hex")[0] == answered
    assert readings("0000305419896", None, "decimal")[0] == message_ids.folded("12345678")


def test_two_different_ids_mean_that_the_parameter_repeats_the_answer() -> None:
    assert readings("12345678", "305419896", "auto")[0] == "305419896"


def test_an_id_that_is_no_number_has_one_reading() -> None:
    assert readings("9F-x", None, "hex") == ("9f-x",)


words = st.sampled_from(
    [
        "",
        "id",
        "stat",
        "err",
        "text",
        "date",
        "77",
        "0x4D",
        "a-b",
        "a.b",
        "a:b",
        "é",
        "DELIVRD",
        "expired",
        " 7",
        "7,",
        "7\0",
        "a b",
        "\x85",
        "sub:1",
        "text:",
    ]
)
usual_texts = st.builds(
    "id:{} sub:{} dlvrd:{} submit date:{} done date:{} stat:{} err:{} {}:{}".format,
    *[words] * 7,
    st.sampled_from(["text", "text", "Text", "TEXT", "tex"]),
    words,
)
optional = st.dictionaries(
    st.sampled_from([tlv.RECEIPTED_MESSAGE_ID, tlv.MESSAGE_STATE, tlv.NETWORK_ERROR_CODE]),
    st.binary(max_size=4),
    max_size=2,
)
esm_classes = st.sampled_from([RECEIPT, RECEIPT, RECEIPT, 0, INTERIM_NOTICE, RECEIPT | 0x40])


@given(usual_texts, optional, esm_classes, st.sampled_from(["", "CMT"]), st.integers(-9, 9))
def test_a_receipt_of_the_usual_shape_reads_as_one_of_any_shape(
    text: str, tlvs: dict[int, bytes], esm_class: int, service: str, longer: int
) -> None:
    octets = text.encode("latin-1")
    message = ShortMessage(
        Address("49170", 1, 0), Address("", 5, 255), octets, 8, esm_class, 0, tlvs, service
    )
    body = bytearray(short_message.encode(message))
    body[body.index(b"id:") - 1] += longer
    try:
        usual = receipt.read_usual(bytes(body))
    except MalformedPduError:
        with pytest.raises(MalformedPduError):
            short_message.decode(bytes(body))
        return
    if usual is not None:
        read = short_message.decode(bytes(body))
        assert (read.esm_class, receipt.is_receipt(read)) == (RECEIPT, True)
        assert usual == ("49170", "", receipt.read(read))


@given(st.binary(max_size=120))
def test_a_body_that_is_no_receipt_has_not_the_usual_shape(body: bytes) -> None:
    assert receipt.read_usual(body) is None


def test_what_carriers_write_has_the_usual_shape() -> None:
    dates = {"submitted": "2611220130", "done": "2611220131"}
    text = receipt.write("0a-4711", "DELIVRD", delivered=True, **dates)
    tlvs = {tlv.RECEIPTED_MESSAGE_ID: b"4711\0", tlv.MESSAGE_STATE: b"\2"}
    message = ShortMessage(
        Address("+49170", 1, 1), Address("Ac", 5), text, esm_class=RECEIPT, tlvs=tlvs
    )
    said = Receipt("0a-4711", "4711", "DELIVRD", "000", "2611220131", None)
    assert receipt.read_usual(short_message.encode(message)) == ("+49170", "Ac", said)
