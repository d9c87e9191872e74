"""The threat model claims nothing that no test shows."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_claim_of_the_threat_model_names_a_test_that_is_there() -> None:
    claimed = set(re.findall(r"`(test_\w+)`", (ROOT / "docs" / "threat-model.md").read_text()))
    found = {
        name
        for file in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"^(?:async )?def (test_\w+)", file.read_text(), re.MULTILINE)
    }
    assert len(claimed) > 40
    assert claimed - found == set()


def test_every_row_of_the_threat_model_says_what_shows_it() -> None:
    text = (ROOT / "docs" / "threat-model.md").read_text()
    rows = [row for row in text.splitlines() if row.startswith("| ") and row.count("|") == 4]
    unshown = [
        row
        for row in rows
        if not re.search(r"\| [^|]*(`(test_|\.ci)[^|]*|shown by|why|---).*\|$", row)
    ]
    assets = text.partition("## Borders")[0]
    assert [row for row in unshown if row not in assets] == []
