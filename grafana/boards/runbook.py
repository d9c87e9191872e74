"""`docs/runbook.md` as Grafana shows it: a board with one text panel per section."""

import re
from dataclasses import dataclass
from pathlib import Path

FILE = Path(__file__).parents[2] / "docs" / "runbook.md"
UID = "carillon-runbook"
HEADING = re.compile(r"^## (.+)$", re.MULTILINE)
UNSAID = re.compile(r"[^\w\- ]")


class NoSuchSectionError(Exception):
    """A panel points to a section that the runbook does not have."""


@dataclass(frozen=True, slots=True)
class Section:
    """One section: what it means, what to look at, what to type."""

    number: int
    title: str
    text: str

    @property
    def anchor(self) -> str:
        """What an address of this section ends with, as forges make it from the heading."""
        return UNSAID.sub("", self.title.lower()).replace(" ", "-")


def sections() -> list[Section]:
    """All sections, in the order of the file."""
    parts = HEADING.split(FILE.read_text("utf-8"))[1:]
    pairs = zip(parts[::2], parts[1::2], strict=True)
    return [Section(number, title, text.strip()) for number, (title, text) in enumerate(pairs, 1)]


def section(anchor: str) -> Section:
    """The section with this anchor.

    Raises:
        NoSuchSectionError: there is none.

    """
    for one in sections():
        if one.anchor == anchor:
            return one
    raise NoSuchSectionError(f"docs/runbook.md has no section #{anchor}")
