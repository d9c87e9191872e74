import csv
from pathlib import Path

import phonenumbers

from carillon.traffic.demo import DEMO_SIZE, fictional_numbers, write_demo_audience


def test_the_demo_has_two_thousand_different_valid_numbers() -> None:
    numbers = list(fictional_numbers())
    assert len(set(numbers)) == len(numbers) == DEMO_SIZE
    assert all(phonenumbers.is_valid_number(phonenumbers.parse(it, None)) for it in numbers)


def test_the_demo_numbers_are_kept_for_fiction() -> None:
    assert all(100 <= int(number[-4:]) < 200 for number in fictional_numbers())
    assert {number[5:9] for number in fictional_numbers()} == {"5550"}


def test_the_demo_audience_is_the_same_every_time(tmp_path: Path) -> None:
    one = write_demo_audience(tmp_path / "one.csv").read_bytes()
    assert write_demo_audience(tmp_path / "two.csv").read_bytes() == one
    rows = list(csv.DictReader(one.decode().splitlines()))
    assert len(rows) == DEMO_SIZE
    assert set(rows[0]) == {"phone", "name", "guests"}
