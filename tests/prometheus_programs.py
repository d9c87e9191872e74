"""Debian's Prometheus for tests."""

import os

import pytest

from carillon.servers.prometheus import NoPrometheusError, program


def debian_program(name: str) -> str:
    """The program's path; a missing one skips at home and fails in CI."""
    try:
        return str(program(name))
    except NoPrometheusError as missing:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(missing))
