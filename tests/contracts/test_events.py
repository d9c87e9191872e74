import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaign_events.catalogue import STREAM_OF_KIND, decode, event_types, read
from campaign_events.envelope import (
    Address,
    Event,
    Origin,
    Position,
    Unknown,
    Unreadable,
    encode,
    placed,
)
from campaign_events.schemas import document
from campaign_events.upcasts import UPCASTS, Data, upcast

ROOT = Path(__file__).parents[2]
RECORDED = [
    line
    for file in sorted((Path(__file__).parent / "recorded").glob("*.jsonl"))
    for line in file.read_text().splitlines()
]


@pytest.mark.parametrize("line", RECORDED, ids=lambda line: json.loads(line)["type"])
def test_what_was_once_written_can_be_read_for_ever(line: str) -> None:
    written = json.loads(line)

    recorded = decode("CAMPAIGNS", 1, line.encode())

    assert not isinstance(recorded.event, Unknown)
    assert _holds(recorded.event.model_dump(mode="json"), written["data"])


def _holds(read: Any, written: Any) -> bool:
    """Whether everything that was written was read; fields of later days may stand beside it."""
    if isinstance(written, dict):
        return all(name in read and _holds(read[name], value) for name, value in written.items())
    if isinstance(written, list):
        return len(read) == len(written) and all(map(_holds, read, written))
    return bool(read == written)


@pytest.mark.parametrize("line", RECORDED, ids=lambda line: json.loads(line)["type"])
def test_an_event_survives_the_codec(line: str) -> None:
    recorded = decode("CAMPAIGNS", 1, line.encode())
    origin = Origin("c", recorded.time, recorded.source, recorded.correlation_id)
    written = recorded.event, recorded.id, recorded.address, origin, "00-ab-cd-01"

    again = decode("CAMPAIGNS", 1, encode(*written))

    assert again == recorded._replace(traceparent="00-ab-cd-01")
    assert again == placed(*written, stream="CAMPAIGNS", seq=1)


def test_every_event_has_been_recorded_documented_and_has_a_stream() -> None:
    assert {json.loads(line)["type"] for line in RECORDED} == set(event_types()) | set(UPCASTS)
    for name, cls in event_types().items():
        assert cls.__doc__
        assert cls.__doc__ != Event.__doc__
        assert name.partition(".")[0] in STREAM_OF_KIND


def test_the_schemas_in_docs_are_those_of_the_code() -> None:
    assert (ROOT / "docs" / "events.schema.json").read_text() == document(), "run `make schemas`"


def test_a_type_from_the_future_is_kept_and_skipped() -> None:
    line = json.loads(RECORDED[0]) | {"type": "campaign.teleported", "data": {"to": "Mars"}}

    recorded = decode("CAMPAIGNS", 1, json.dumps(line).encode())

    assert recorded.event == Unknown(type="campaign.teleported", data={"to": "Mars"})


def test_unknown_fields_of_a_known_type_are_dropped() -> None:
    line = json.loads(RECORDED[0])
    line["data"]["invented_later"] = 1

    assert decode("CAMPAIGNS", 1, json.dumps(line).encode()) == decode(
        "CAMPAIGNS", 1, RECORDED[0].encode()
    )


@pytest.mark.parametrize("payload", [b"{}", b"[]", b"not json", b'{"type":"campaign.created"}'])
def test_what_is_no_envelope_is_a_value_error(payload: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        decode("CAMPAIGNS", 1, payload)


@pytest.mark.parametrize(
    ("payload", "why"),
    [
        (b"{}", "ValueError: entry 7 of CAMPAIGNS is not an event envelope: KeyError('type')"),
        (b"not json", "JSONDecodeError: "),
        (RECORDED[0].replace('"name":"', '"n":"+447700900123').encode(), "settings.name: missing"),
        (RECORDED[0].encode(), "the envelope is about another thing"),
        (RECORDED[0].replace('"workspace":"', '"workspace":["w"],"was":"').encode(), "TypeError"),
    ],
)
def test_an_entry_that_nobody_can_read_keeps_its_place_and_says_why(
    payload: bytes, why: str
) -> None:
    recorded = read("CAMPAIGNS", 7, "campaign.demo.c1.created", payload)

    assert (recorded.seq, recorded.address) == (7, Address("demo", "c1"))
    assert isinstance(recorded.event, Unreadable)
    assert recorded.event.type == "campaign.created"
    assert why in recorded.event.why
    assert "447700900123" not in recorded.event.why


def test_old_types_and_old_shapes_are_read_as_todays() -> None:
    def renamed(data: Data) -> tuple[str, Data]:
        return "campaign.launched", {"at": data["when"]}

    def merged(data: Data) -> tuple[str, Data]:
        return "campaign.started", {"by": None, "until": data["at"]}

    def reshaped(data: Data) -> tuple[str, Data]:
        return "campaign.started", {"by": data.get("by") or None, **data}

    steps = {"campaign.begun": renamed, "campaign.launched": merged, "campaign.started": reshaped}

    assert upcast("campaign.begun", {"when": 1}, steps) == (
        "campaign.started",
        {"by": None, "until": 1},
    )
    assert upcast("campaign.started", {"until": 2}, steps)[1] == {"by": None, "until": 2}
    assert upcast("campaign.stopped", {"x": 1}, steps) == ("campaign.stopped", {"x": 1})


@given(
    st.dictionaries(
        st.sampled_from(sorted(Position.CODES)), st.integers(0, 10**17), min_size=1, max_size=3
    )
)
def test_a_position_survives_its_text(seqs: dict[str, int]) -> None:
    position = Position(tuple(seqs.items()))

    assert Position.parse(str(position)) == position


@given(st.text(max_size=30))
def test_any_text_is_a_position_or_a_value_error(text: str) -> None:
    try:
        position = Position.parse(text)
    except ValueError:
        return
    assert Position.parse(str(position)) == position


def test_an_address_filters_all_kinds_of_facts_about_one_thing() -> None:
    assert Address("demo", "c1").everything == "*.demo.c1.>"
