"""The audience of the demo campaign: made-up people with numbers that belong to nobody."""

import csv
import io
from collections.abc import Iterable, Iterator
from pathlib import Path

from carillon.files import write_atomically
from carillon.tokens.identity import DEMO_WORKSPACE
from carillon.traffic.campaign_run import Wish

DEMO_SIZE = 2_000
DEMO_TEXT = "Hello {{name}}, your table for {{guests}} is ready. Reply STOP to opt out."
# 555-0100 to 555-0199 are kept free for fiction in every North American area code.
AREA_CODES = (
    *("201", "202", "203", "205", "206", "207", "208", "209", "210", "212"),
    *("213", "214", "215", "216", "217", "218", "219", "224", "225", "228"),
)
LINES = range(100, 200)
NAMES = ("Ada", "Björn", "Chloé", "Dmitri", "Esra", "Farid", "Grace", "Hiro", "Inès", "Jan")


def fictional_numbers() -> Iterator[str]:
    """2,000 different valid numbers that nobody has, always the same ones."""
    for area in AREA_CODES:
        for line in LINES:
            yield f"+1{area}5550{line}"


def write_demo_audience(file: Path, numbers: Iterable[str] | None = None) -> Path:
    """Write a demo's contacts as a CSV with a header; the same text for the same numbers."""
    text = io.StringIO(newline="")
    rows = csv.writer(text)
    rows.writerow(("phone", "name", "guests"))
    for index, number in enumerate(fictional_numbers() if numbers is None else numbers):
        name = NAMES[index % len(NAMES)]
        rows.writerow((number, name, 2 + index % 7))
    write_atomically(file, text.getvalue())
    return file


def demo_wish(data: Path) -> Wish:
    """The demo campaign of SMS, with its audience written into the data folder."""
    return Wish(
        file=write_demo_audience(data / "demo" / "demo.csv"),
        text=DEMO_TEXT,
        name="Demo campaign",
        workspace=DEMO_WORKSPACE,
        approve=True,
    )
