"""Tests of the dispatcher work on its stage as it is."""

import pytest

from dispatching import Rig


@pytest.fixture
def rig(stage: Rig) -> Rig:
    return stage
