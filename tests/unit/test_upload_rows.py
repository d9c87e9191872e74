import csv
import gzip
import io
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from campaign_events.uploads.rows import (
    MAX_RECORD,
    NumberList,
    Row,
    Table,
    TextReader,
    Unreadable,
    unmarked,
)


def read(data: bytes, *, chunk: int = 7, table: Table | NumberList | None = None) -> list[Row]:
    text, table = TextReader(), Table() if table is None else table
    rows: list[Row] = []
    for start in range(0, len(data), chunk):
        rows += table.rows(text.feed(data[start : start + chunk]))
    rows += table.rows(text.feed(b"", last=True), last=True)
    return rows


def phones(data: bytes, *, chunk: int = 7) -> list[tuple[int, str]]:
    return [(line, phone) for line, phone, _ in read(data, chunk=chunk)]


def test_the_phone_column_is_found_by_name_whatever_its_case() -> None:
    assert read(b"name,MSISDN,city\nAnn,+44791,Bath\n") == [
        (2, "+44791", {"name": "Ann", "city": "Bath"})
    ]


def test_without_a_known_name_the_first_column_holds_phones() -> None:
    assert read(b"contact,name\n+44791,Ann\n") == [(2, "+44791", {"name": "Ann"})]


def test_phone_is_looked_for_before_number() -> None:
    assert read(b"number,phone\n7,+44791\n") == [(2, "+44791", {"number": "7"})]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_delimiters_are_detected(delimiter: str) -> None:
    data = delimiter.join(["phone", '"a,b;c\td"', "x"]) + "\n" + delimiter.join("123")
    assert read(data.encode()) == [(2, "1", {"a,b;c\td": "2", "x": "3"})]


@pytest.mark.parametrize("first", ["sep=;", "SEP=;", "\ufeffsep=;", "sep=;\n"])
def test_a_line_that_names_the_delimiter_for_a_spreadsheet_is_no_header(first: str) -> None:
    data = f"{first}\nphone;name\n1;a,b\n".encode()
    assert read(data) == [(data.count(b"\n"), "1", {"name": "a,b"})]


def test_a_byte_order_mark_is_no_part_of_the_first_name() -> None:
    assert phones(b"\xef\xbb\xbfphone\n1\n", chunk=1) == [(2, "1")]


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize("chunk", [1, 2, 3, 100])
def test_line_ends_of_every_system_count_as_one_line(end: bytes, chunk: int) -> None:
    data = end.join([b"phone", b"1", b"", b"2", b"3"])
    assert phones(data, chunk=chunk) == [(2, "1"), (4, "2"), (5, "3")]


@pytest.mark.parametrize("chunk", [1, 5, 100])
def test_line_breaks_in_quotes_belong_to_the_field_and_count_as_lines(chunk: int) -> None:
    data = b'phone,note\n1,"a\r\nb ""c"""\n2,x\n'
    assert read(data, chunk=chunk) == [
        (2, "1", {"note": 'a\r\nb "c"'}),
        (4, "2", {"note": "x"}),
    ]


def test_a_quote_inside_of_a_field_is_a_character_like_others() -> None:
    assert read(b'phone,size\n1,5" pipe\n2,x\n')[0][2] == {"size": '5" pipe'}


def test_blank_lines_and_empty_records_are_no_rows() -> None:
    assert phones(b"\n\nphone,name\n\n , \n,,\n1,a\n") == [(7, "1")]
    assert phones(b"phone,name\n,,\n\n1,a\n") == [(4, "1")]


def test_short_rows_lack_variables_and_long_ones_lose_the_rest() -> None:
    assert read(b"phone,a,b\n1,x\n2,x,y,z\n") == [
        (2, "1", {"a": "x"}),
        (3, "2", {"a": "x", "b": "y"}),
    ]


def test_a_number_list_has_one_number_per_line_from_line_one() -> None:
    rows = read(b"\xef\xbb\xbf+1\r\n\r\n  +2  \r\n+3", table=NumberList())
    assert [(line, phone) for line, phone, _ in rows] == [(1, "+1"), (3, "+2"), (4, "+3")]


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"phone\n\xff\xfe\n", "not UTF-8"),
        (b"phone\n\xc3", "not UTF-8"),
        ("phone\n1".encode("utf-16"), "not UTF-8"),
        (b"phone\n1\0\n", "zero bytes"),
        (gzip.compress(b"phone\n1\n", mtime=0), "compressed .gzip.: unpack it"),
        (b"PK\x03\x04\x14\0\x06\0contacts", "spreadsheet: unpack it, or save it as CSV UTF-8"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "is a spreadsheet: save it as CSV UTF-8"),
        (b'phone,a\n1,x\n2,"open\n3,y\n', "line 3: a quoted field does not end"),
        (b"phone,a,a\n1,2,3\n", "'a' twice"),
        (b"phone" + b",x" * 300 + b"\n", "columns"),
        (b"phone\n" + b"1" * (MAX_RECORD + 20000), "longer than"),
        (b'phone,a\n1,"' + b"line\n" * (MAX_RECORD // 4), "line 2: a quoted field does not end"),
    ],
)
def test_what_is_no_table_is_refused_with_the_reason(data: bytes, why: str) -> None:
    with pytest.raises(Unreadable, match=why):
        read(data, chunk=16384)


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("plain", "plain"),
        ("=1+1", "1+1"),
        ('="007"', "007"),
        ('="say ""hi"""', 'say "hi"'),
        ("'=1+1", "=1+1"),
        ("'007", "007"),
        ("'t Hart", "'t Hart"),
        ("", ""),
        ("=", ""),
        ("'", "'"),
    ],
)
def test_a_spreadsheets_marks_are_taken_off(cell: str, text: str) -> None:
    assert unmarked(cell) == text


CELL = st.text(st.sampled_from('ab,;"\r\n \té€'), max_size=6)


@settings(max_examples=300)
@given(rows=st.lists(st.tuples(CELL, CELL), max_size=8), chunk=st.integers(1, 40))
def test_cutting_the_file_anywhere_gives_the_same_rows(
    rows: Sequence[tuple[str, str]], chunk: int
) -> None:
    written = io.StringIO(newline="")
    csv.writer(written, quoting=csv.QUOTE_ALL).writerows([("phone", "note"), *rows])
    data = written.getvalue().encode()
    expected = [(phone, {"note": note}) for phone, note in rows if (phone + note).strip()]
    assert [(phone, variables) for _, phone, variables in read(data, chunk=chunk)] == expected
