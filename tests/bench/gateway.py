"""A gateway that Carillon is measured beside, as its user sees it."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Door:
    """Where a user asks for messages over HTTP, and what a yes looks like."""

    name: str
    port: int
    path: str
    """What is asked for to have one message sent to `{destination}`, its end told `{report_to}`."""
    accepted: str
    """How the answer to a request begins that was accepted."""
    thanks: str = ""
    """What it wants to read in answer to a report."""


@dataclass(frozen=True, slots=True)
class Gateway:
    """A running gateway that is bound to its carrier."""

    door: Door
    processes: Mapping[str, int]
    """Its programs' process ids."""
