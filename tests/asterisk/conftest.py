from collections.abc import Iterator

import pytest

import asterisk_lab
from asterisk_lab import Lab


@pytest.fixture(scope="package")
def lab() -> Iterator[Lab]:
    with asterisk_lab.running() as lab:
        yield lab
