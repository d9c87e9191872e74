from pathlib import Path

import pytest

from campaign_events.table_file import TableFileError
from dispatcher.links.file import LINKS_FILE

GOOD = '[[links]]\nid = "acme"\nhost = "127.0.0.1"\nport = 2775\nsystem_id = "c"\npassword = "p"\n'


@pytest.mark.parametrize(
    ("text", "line", "told"),
    [
        (GOOD + "windw = 50\n", 7, 'link "acme": unknown field windw; did you mean window?'),
        (GOOD + "colour = 1\n", 7, "unknown field colour; the fields are id, name, type"),
        (GOOD + "window = 0\n", 7, "window: input should be greater than or equal to 1"),
        (GOOD.replace("2775", '"x"'), 4, "port: input should be a valid integer"),
        (GOOD.replace('host = "127.0.0.1"\n', ""), 1, "host is missing; add a line host = "),
        (GOOD + 'bind = "transmitter"\n', 7, 'Carillon binds as "transceiver" only'),
        (GOOD + 'type = "http"\n', 7, 'the only type is "smpp"'),
        (GOOD + 'on_unknown = "retry"\n', 7, 'write "fail" (never sent again) or "resend"'),
        (GOOD + 'dlr_ids = "base64"\n', 7, 'write "auto", "hex" or "decimal"'),
        (GOOD + 'errors = { ESME_RNONSENSE = "temporary" }\n', 7, "is not a command status"),
        (GOOD + 'errors = { "0x401" = "maybe" }\n', 7, "errors: input should be 'throttled'"),
        (GOOD + "segments_per_second = inf\n", 7, "segments_per_second: input should be a finite"),
        (GOOD + GOOD, 8, 'two links are called "acme" (the first: '),
        (GOOD + GOOD.replace("acme", "b b"), 8, 'link "b b": id: '),
    ],
)
def test_a_mistake_is_told_with_its_line_its_field_and_what_to_do(
    tmp_path: Path, text: str, line: int, told: str
) -> None:
    file = tmp_path / "links.toml"
    file.write_text(text)

    with pytest.raises(TableFileError) as refusal:
        LINKS_FILE.load(file)

    assert str(refusal.value).startswith(f"{file}:{line}: ")
    assert told in str(refusal.value)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "there is no link in it"),
        ("[links]\nid = 'x'\n", "write each link as a table of its own"),
        ("[[link]]\nid = 'x'\n", "unknown at the top: link"),
        ("[[links]\n", "is not TOML"),
    ],
)
def test_a_file_of_another_shape_is_refused_with_an_example(
    tmp_path: Path, text: str, told: str
) -> None:
    file = tmp_path / "links.toml"
    file.write_text(text)

    with pytest.raises(TableFileError, match=told):
        LINKS_FILE.load(file)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(TableFileError, match="cannot be read"):
        LINKS_FILE.load(tmp_path / "nowhere.toml")


def test_every_mistake_is_told_at_once_and_none_shows_the_password(tmp_path: Path) -> None:
    file = tmp_path / "links.toml"
    file.write_text(GOOD.replace('"p"', "[1]") + "window = 0\nport2 = 1\n")

    with pytest.raises(TableFileError) as refusal:
        LINKS_FILE.load(file)

    assert len(str(refusal.value).splitlines()) == 3
    assert "[1]" not in str(refusal.value)


def test_errors_may_be_called_by_name_or_number(tmp_path: Path) -> None:
    file = tmp_path / "links.toml"
    file.write_text(GOOD + 'errors = { ESME_RSUBMITFAIL = "temporary", "0x401" = "throttled" }\n')

    [link] = LINKS_FILE.load(file)

    assert link.errors == {0x45: "temporary", 0x401: "throttled"}
