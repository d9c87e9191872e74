import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import lab as labs


@pytest.fixture(scope="package")
def lab() -> Iterator[labs.Lab]:
    with labs.running() as lab:
        yield lab
