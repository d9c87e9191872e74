"""The runbook inside Grafana: the links of all panels lead to a panel of this board."""

import re
from typing import Final

from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.builders import text
from grafana_foundation_sdk.models.dashboard import Dashboard
from grafana_foundation_sdk.models.text import TextMode

from boards.runbook import UID, Section, sections

HEIGHT: Final = 10
SPAN: Final = 12
BESIDE: Final = re.compile(r"\[([^]]+)\]\((\w+\.md)\)")
"""A link to another page of docs/, which Grafana does not have."""


def reading() -> Dashboard:
    """The board made of `docs/runbook.md`, a panel per section."""
    made = (
        builders.Dashboard("Carillon: runbook")
        .uid(UID)
        .description("What alerts and panels mean, what to look at, what to type.")
        .tags(["carillon"])
        .readonly()
    )
    for one in sections():
        made = made.with_panel(_panel(one))
    return made.build()


def _panel(section: Section) -> text.Panel:
    return (
        text.Panel()
        .id(section.number)
        .title(section.title)
        .mode(TextMode.MARKDOWN)
        .content(BESIDE.sub(r"\1 (`docs/\2`)", section.text))
        .span(SPAN)
        .height(HEIGHT)
    )
