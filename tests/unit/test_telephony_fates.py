"""The simulated people: the same seed, the same fates; shares and durations as the file says."""

from collections import Counter
from pathlib import Path
from statistics import mean

import pytest

from phones.config import Behaviour, ConfigError, load
from phones.fate import Fate, Fates


def fates(count: int = 4000, **values: object) -> list[Fate]:
    book = Fates(Behaviour.model_validate({"id": "sim", "type": "simulator", **values}))
    return [book.of(f"+4917{number}", 1) for number in range(count)]


def test_a_call_has_its_fate_whatever_was_called_before() -> None:
    behaviour = Behaviour.model_validate({"id": "sim", "type": "simulator", "seed": 5})
    one, other = Fates(behaviour), Fates(behaviour)
    phones = [f"+4917{number}" for number in range(50)]
    forth = {phone: one.of(phone, one.count(phone)) for phone in phones}
    back = {phone: other.of(phone, other.count(phone)) for phone in reversed(phones)}
    assert forth == back
    assert one.of(phones[0], one.count(phones[0])) != forth[phones[0]]
    assert fates(50, seed=5) != fates(50, seed=6)


def test_the_shares_are_those_of_the_file() -> None:
    drawn = fates(answer=0.3, machine=0.25, busy=0.1, unallocated=0.05, unreachable=0.05)
    answers = Counter(fate.answer for fate in drawn)
    failures = Counter(fate.failure for fate in drawn)
    assert (answers["human"] + answers["machine"]) / 4000 == pytest.approx(0.3, abs=0.03)
    assert answers["machine"] / 4000 == pytest.approx(0.075, abs=0.02)
    assert failures["busy"] / 4000 == pytest.approx(0.1, abs=0.02)
    assert failures["unallocated"] / 4000 == pytest.approx(0.05, abs=0.015)
    people = [fate for fate in drawn if fate.answer == "human"]
    heard = [fate.verdict for fate in people].count("machine") / len(people)
    assert heard == pytest.approx(0.02, abs=0.02)


def test_durations_have_their_means_and_the_time_scale_divides_them() -> None:
    usual = [fate for fate in fates(answer=0.8) if fate.answer == "human"]
    assert mean(fate.talk_s for fate in usual) == pytest.approx(120, rel=0.15)
    assert mean(fate.ring_s for fate in usual) == pytest.approx(8, rel=0.1)
    assert mean(fate.wrap_s for fate in usual) == pytest.approx(20, rel=0.1)
    quick = [fate for fate in fates(answer=0.8, time_scale=10) if fate.answer == "human"]
    for slow, fast in zip(usual, quick, strict=True):
        assert fast.talk_s == pytest.approx(slow.talk_s / 10)
        assert fast.post_dial_s == pytest.approx(slow.post_dial_s / 10)
        assert fast.verdict == slow.verdict


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("answr = 0.3", 'telephony "sim": unknown field answr'),
        ("answer = 2", 'telephony "sim": answer: Input should be less than or equal to 1'),
        ("answer = 0.9\nbusy = 0.2", "add up to more than everything"),
        ("ring_s = 0", "ring_s"),
        ("time_scale = -1", "time_scale"),
    ],
)
def test_a_mistake_in_the_file_is_told(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "telephony.toml"
    file.write_text(f'[[telephony]]\nid = "sim"\ntype = "simulator"\n{text}\n')
    with pytest.raises(ConfigError, match=said):
        load(file)


def test_tables_of_other_kinds_are_skipped_but_one_is_needed(tmp_path: Path) -> None:
    file = tmp_path / "telephony.toml"
    file.write_text('[[telephony]]\nid = "pbx"\ntype = "asterisk"\nurl = "http://127.0.0.1"\n')
    with pytest.raises(ConfigError, match=r'no .* table of type "simulator"'):
        load(file)
