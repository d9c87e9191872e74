"""PDUs against octets worked out by hand from the specification, and round trips for the rest."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smpp import pdu, short_message, tlv
from smpp.command import Command
from smpp.framing import Frame, Framer, MalformedPduError, pack
from smpp.pdu import BARE, Bind, BindResp, Body, MessageId, QuerySm, QuerySmResp
from smpp.short_message import Address, ShortMessage
from smpp.status import Status, status_name, status_number

BIND = """
    0000002F 00000002 00000000 00000001
    534D50503354455354 00 7365637265743038 00 5355424D495431 00 50 01 01 00
"""
SUBMIT = """
    00000036 00000004 00000000 00000005
    00 050041630001013439313730004000000000 01 00 00 00 08 0500032A02014869 02040002BEEF
"""
GOLDEN: list[tuple[str, str, int, int, int, Body]] = [
    (
        "the bind_transmitter of the specification's section 3.2.2",
        BIND,
        Command.BIND_TRANSMITTER,
        0,
        1,
        Bind("SMPP3TEST", "secret08", "SUBMIT1", 0x50, Address("", 1, 1)),
    ),
    (
        "its bind_transmitter_resp",
        "0000001A 80000002 00000000 00000001 534D50503354455354 00",
        Command.BIND_TRANSMITTER_RESP,
        0,
        1,
        BindResp("SMPP3TEST"),
    ),
    ("enquire_link", "00000010 00000015 00000000 00000007", Command.ENQUIRE_LINK, 0, 7, BARE),
    (
        "a generic_nack with its status",
        "00000010 80000000 00000003 00000009",
        Command.GENERIC_NACK,
        Status.ESME_RINVCMDID,
        9,
        BARE,
    ),
    ("unbind_resp", "00000010 80000006 00000000 00000002", Command.UNBIND_RESP, 0, 2, BARE),
    (
        "submit_sm with a message reference",
        SUBMIT,
        Command.SUBMIT_SM,
        0,
        5,
        ShortMessage(
            Address("Ac", 5, 0),
            Address("49170", 1, 1),
            b"\x05\x00\x03\x2a\x02\x01Hi",
            esm_class=0x40,
            registered_delivery=1,
            tlvs={tlv.USER_MESSAGE_REFERENCE: b"\xbe\xef"},
        ),
    ),
    (
        "submit_sm_resp",
        "00000013 80000004 00000000 00000005 3432 00",
        Command.SUBMIT_SM_RESP,
        0,
        5,
        MessageId("42"),
    ),
    (
        "deliver_sm_resp",
        "00000011 80000005 00000000 00000006 00",
        Command.DELIVER_SM_RESP,
        0,
        6,
        MessageId(""),
    ),
    (
        "query_sm",
        "00000018 00000003 00000000 00000008 3432 00 05 00 4163 00",
        Command.QUERY_SM,
        0,
        8,
        QuerySm("42", Address("Ac", 5, 0)),
    ),
    (
        "query_sm_resp",
        "00000016 80000003 00000000 00000008 3432 00 00 02 00",
        Command.QUERY_SM_RESP,
        0,
        8,
        QuerySmResp("42", "", 2, 0),
    ),
]
NAMES = [golden[0] for golden in GOLDEN]


@pytest.mark.parametrize(
    ("_name", "octets", "command", "status", "sequence", "body"), GOLDEN, ids=NAMES
)
def test_pdus_are_written_and_read_as_the_specification_says(
    _name: str, octets: str, command: int, status: int, sequence: int, body: Body
) -> None:
    raw = bytes.fromhex(octets)
    assert pdu.encode(command, sequence, body, status) == raw
    [frame] = Framer().feed(raw)
    assert frame[:3] == (command, status, sequence)
    assert pdu.decode(frame) == body


texts = st.text(st.characters(codec="latin-1", exclude_characters="\0"), max_size=30)
octet = st.integers(0, 255)
addresses = st.builds(Address, texts, octet, octet)
tlvs = st.dictionaries(st.integers(0, 0xFFFF), st.binary(max_size=40), max_size=4)
short_messages = st.builds(
    ShortMessage,
    source=addresses,
    destination=addresses,
    octets=st.binary(max_size=254),
    data_coding=octet,
    esm_class=octet,
    registered_delivery=octet,
    tlvs=tlvs,
    service_type=texts,
    protocol_id=octet,
    priority_flag=octet,
    schedule_delivery_time=texts,
    validity_period=texts,
    replace_if_present=octet,
    sm_default_msg_id=octet,
)
requests: st.SearchStrategy[tuple[int, Body]] = st.one_of(
    st.tuples(st.sampled_from([Command.SUBMIT_SM, Command.DELIVER_SM]), short_messages),
    st.tuples(
        st.sampled_from([Command.SUBMIT_SM_RESP, Command.DELIVER_SM_RESP]),
        st.builds(MessageId, texts, tlvs),
    ),
    st.tuples(
        st.just(Command.BIND_TRANSCEIVER), st.builds(Bind, texts, texts, texts, octet, addresses)
    ),
    st.tuples(st.just(Command.BIND_TRANSCEIVER_RESP), st.builds(BindResp, texts, tlvs)),
    st.tuples(st.just(Command.QUERY_SM), st.builds(QuerySm, texts, addresses)),
    st.tuples(st.just(Command.QUERY_SM_RESP), st.builds(QuerySmResp, texts, texts, octet, octet)),
    st.tuples(st.just(Command.ENQUIRE_LINK), st.just(BARE)),
)
sequences = st.integers(1, 0x7FFFFFFF)


@given(requests, sequences)
def test_every_pdu_survives_the_wire(request_: tuple[int, Body], sequence: int) -> None:
    command, body = request_
    [frame] = Framer().feed(pdu.encode(command, sequence, body))
    assert (frame.command, frame.sequence) == (command, sequence)
    assert pdu.decode(frame) == body


@given(short_messages, sequences)
def test_the_quick_writers_say_the_same_as_the_plain_ones(
    message: ShortMessage, sequence: int
) -> None:
    assert short_message.submit_sm(sequence, message) == pdu.encode(
        Command.SUBMIT_SM, sequence, message
    )
    assert short_message.deliver_sm(sequence, message) == pdu.encode(
        Command.DELIVER_SM, sequence, message
    )
    assert short_message.deliver_sm_resp(sequence) == pdu.encode(
        Command.DELIVER_SM_RESP, sequence, MessageId("")
    )
    assert short_message.submit_sm_resp(sequence, "4f") == pdu.encode(
        Command.SUBMIT_SM_RESP, sequence, MessageId("4f")
    )


@given(st.lists(st.tuples(requests, sequences), max_size=5), st.lists(st.integers(0, 2000)))
def test_a_stream_cut_anywhere_gives_the_same_pdus(
    sent: list[tuple[tuple[int, Body], int]], cuts: list[int]
) -> None:
    stream = b"".join(pdu.encode(command, number, body) for (command, body), number in sent)
    framer = Framer()
    edges = [0, *sorted(cut % (len(stream) + 1) for cut in cuts), len(stream)]
    frames = [frame for begin, end in pairwise(edges) for frame in framer.feed(stream[begin:end])]
    assert [pdu.decode(frame) for frame in frames] == [body for (_, body), _ in sent]


@given(st.sampled_from([int(command) for command in Command]), st.binary(max_size=80))
def test_rubbish_is_read_or_refused_with_one_error(command: int, rubbish: bytes) -> None:
    try:
        pdu.decode(Frame(command, 0, 1, rubbish))
    except MalformedPduError:
        return


@pytest.mark.parametrize("length", [0, 15, 70_001, 0xFFFFFFFF])
def test_an_impossible_length_is_an_error_after_the_whole_pdus_before_it(length: int) -> None:
    stream = pack(Command.ENQUIRE_LINK, 0, 1) + length.to_bytes(4) + b"\0" * 12
    frames = Framer().feed(stream)
    assert next(frames).sequence == 1
    with pytest.raises(MalformedPduError, match=f"{length} octets"):
        next(frames)


def test_an_optional_parameter_longer_than_its_pdu_is_an_error() -> None:
    body = pdu.encode(Command.SUBMIT_SM_RESP, 1, MessageId("1"))[16:] + b"\x02\x04\x00\x09\x00"
    with pytest.raises(MalformedPduError, match="0x0204"):
        pdu.decode(Frame(Command.SUBMIT_SM_RESP, 0, 1, body))


def test_unknown_optional_parameters_are_kept() -> None:
    message = ShortMessage(Address("a"), Address("b"), b"", tlvs={0x1400: b"vendor"})
    [frame] = Framer().feed(short_message.deliver_sm(1, message))
    decoded = pdu.decode(frame)
    assert isinstance(decoded, ShortMessage)
    assert decoded.tlvs[0x1400] == b"vendor"


def test_a_refusal_may_come_without_a_body() -> None:
    [frame] = Framer().feed(pack(Command.SUBMIT_SM_RESP, Status.ESME_RTHROTTLED, 4))
    assert pdu.decode(frame) == BARE
    assert short_message.message_id(frame.body) == ""


def test_a_long_message_is_read_from_message_payload() -> None:
    message = ShortMessage(Address("a"), Address("b"), b"", tlvs={tlv.MESSAGE_PAYLOAD: b"x" * 300})
    [frame] = Framer().feed(short_message.submit_sm(1, message))
    decoded = pdu.decode(frame)
    assert isinstance(decoded, ShortMessage)
    assert decoded.payload == b"x" * 300


@pytest.mark.parametrize(
    "message",
    [
        ShortMessage(Address("a\0b"), Address("b"), b""),
        ShortMessage(Address("a"), Address("b"), b"x" * 255),
        ShortMessage(Address("€"), Address("b"), b""),
    ],
)
def test_what_does_not_fit_the_layout_is_refused_when_written(message: ShortMessage) -> None:
    with pytest.raises(ValueError, match=r"zero|octets|codec"):
        short_message.submit_sm(1, message)


def test_statuses_have_names_and_numbers() -> None:
    assert status_name(0x58) == "ESME_RTHROTTLED"
    assert status_name(0x400) == "0x00000400"
    assert status_number("ESME_RMSGQFUL") == 0x14
    assert status_number("0x400") == 0x400
    with pytest.raises(ValueError, match="ESME_RNOSUCH"):
        status_number("ESME_RNOSUCH")
