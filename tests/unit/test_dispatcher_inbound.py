import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaign_events.campaign import WorkspaceSettings
from dispatcher.addressees import normal
from dispatcher.inbound import stops

DEFAULT = WorkspaceSettings()
OWN = WorkspaceSettings(stop_words=("Nein danke", "СТОП"))


@pytest.mark.parametrize(
    "text", ["STOP", "stop", " Stop \r\n", "Stop.", '"STOP"', "stop!", "\ufeffSTOP", "\uff33top"]
)
def test_a_stop_word_stops_however_it_is_written(text: str) -> None:
    assert stops(text, DEFAULT)


@pytest.mark.parametrize("text", ["", " ", "!", "don't stop", "STOP it", "S T O P", "stopp", "�"])
def test_a_message_that_only_holds_a_stop_word_does_not(text: str) -> None:
    assert not stops(text, DEFAULT)


def test_a_workspace_has_words_of_its_own() -> None:
    assert stops("nein Danke!", OWN)
    assert stops("стоп", OWN)
    assert not stops("STOP", OWN)
    assert not stops("", WorkspaceSettings(stop_words=("", " ")))


@given(st.sampled_from(DEFAULT.stop_words), st.data())
def test_case_and_surrounding_space_never_matter(word: str, data: st.DataObject) -> None:
    written = "".join(data.draw(st.sampled_from((c.lower(), c.upper()))) for c in word)
    space = st.text(" \t\n\r", max_size=3)
    assert stops(data.draw(space) + written + data.draw(space), DEFAULT)


def test_addresses_are_compared_without_plus_sign_and_case() -> None:
    assert normal("+447700900123") == normal(" 447700900123")
    assert normal("Shop") == normal("SHOP")
