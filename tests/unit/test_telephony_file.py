"""telephony.toml: what it may say, and how its mistakes are told."""

from pathlib import Path

import pytest

from campaign_events.table_file import TableFileError
from dialler.telephony.file import TELEPHONY_FILE
from dialler.telephony.settings import AsteriskSettings, SimulatorSettings
from dialler.telephony.telephony import parted
from phones.config import load

BUNDLED = Path(__file__).parents[2] / "deploy" / "simulators" / "telephony" / "telephony.toml"
PBX = """\
[[telephony]]
id = "pbx"
type = "asterisk"
url = "http://127.0.0.1:8088"
username = "carillon"
password = "secret"
app = "carillon"
endpoint = "PJSIP/{number}@carrier"
"""


def written(folder: Path, text: str) -> Path:
    file = folder / "telephony.toml"
    file.write_text(text, "utf-8")
    return file


def told(folder: Path, text: str) -> list[str]:
    """What is said about a file, without its folder."""
    with pytest.raises(TableFileError) as refused:
        TELEPHONY_FILE.load(written(folder, text))
    return str(refused.value).replace(f"{folder}/", "").splitlines()


def test_the_bundled_file_is_read_by_both_programs() -> None:
    (simulator,) = TELEPHONY_FILE.load(BUNDLED)
    assert isinstance(simulator, SimulatorSettings)
    behaviour = load(BUNDLED)[simulator.id]
    assert (simulator.host, simulator.port) == (behaviour.host, behaviour.port)


def test_a_table_for_each_kind_is_read_in_order(tmp_path: Path) -> None:
    sim = '[[telephony]]\nid = "sim"\ntype = "simulator"\nseed = 7\nanswer = 0.5\n'
    first, second = TELEPHONY_FILE.load(written(tmp_path, sim + PBX))
    assert isinstance(first, SimulatorSettings)
    assert isinstance(second, AsteriskSettings)
    assert second.ari == "http://127.0.0.1:8088/ari"
    assert "secret" not in repr(second)


@pytest.mark.parametrize("url", ["http://pbx:8088", "http://pbx:8088/", "http://pbx:8088/ari/"])
def test_the_address_may_end_as_it_likes(tmp_path: Path, url: str) -> None:
    text = PBX.replace("http://127.0.0.1:8088", url)
    (pbx,) = TELEPHONY_FILE.load(written(tmp_path, text))
    assert isinstance(pbx, AsteriskSettings)
    assert pbx.ari == "http://pbx:8088/ari"


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (("username", "usrname"), '5: telephony "pbx": unknown field usrname; did you mean'),
        (
            ("PJSIP/{number}@carrier", "PJSIP/x"),
            '8: telephony "pbx": endpoint: value error, it has',
        ),
        (("http://127.0.0.1:8088", "pbx"), '4: telephony "pbx": url: input should be a valid URL'),
        (('type = "asterisk"', 'type = "freeswitch"'), "3: telephony \"pbx\": type: 'freeswitch'"),
        (('type = "asterisk"\n', ""), '1: telephony "pbx": type is missing; write "simulator" or'),
        (('id = "pbx"', "id = 1"), "2: telephony number 1: id: input should be a valid string"),
        (('password = "secret"\n', ""), '1: telephony "pbx": password is missing; add a line'),
    ],
)
def test_a_mistake_is_told_with_its_line(
    tmp_path: Path, change: tuple[str, str], line: str
) -> None:
    assert any(
        one.startswith(f"telephony.toml:{line}") for one in told(tmp_path, PBX.replace(*change))
    )


def test_two_of_the_same_name_are_refused(tmp_path: Path) -> None:
    (line,) = told(tmp_path, PBX + PBX)
    assert line.startswith('telephony.toml:10: two telephonies are called "pbx" (the first: ')


@pytest.mark.parametrize(
    "text", ["", "telephony = 3", "[[telephny]]\n", "[[telephony", "telephony"]
)
def test_a_file_without_sense_is_told_about(tmp_path: Path, text: str) -> None:
    (line,) = told(tmp_path, text)
    assert line.startswith("telephony.toml: ")


def test_a_missing_file_is_told_about(tmp_path: Path) -> None:
    with pytest.raises(TableFileError, match="cannot be read"):
        TELEPHONY_FILE.load(tmp_path / "none.toml")


def test_a_destination_has_a_telephony_and_a_target() -> None:
    assert parted("sim:agents") == ("sim", "agents")
    assert parted("pbx:PJSIP/desk:5060@pbx") == ("pbx", "PJSIP/desk:5060@pbx")
    for wrong in ("agents", ":agents", "sim:", ""):
        with pytest.raises(ValueError, match="telephony id"):
            parted(wrong)
