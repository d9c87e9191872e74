"""`POST /messages/preview`: what a text would look like, and what it would cost."""

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import Field, StringConstraints

from campaign_events.answers import answers
from campaign_events.audit import not_a_command
from campaign_events.problems import Problem
from campaign_events.strict_body import Body
from campaign_events.text import (
    mistakes,
    offending,
    render,
    rendered_length,
    segmentation,
    variables,
)
from dispatcher.answers import Previewed
from dispatcher.door import Reader

TEXT_LIMIT = 20_000
"""Characters of a text with its placeholders, and of what becomes of it."""

type Name = Annotated[str, StringConstraints(min_length=1, max_length=64)]


class Preview(Body):
    """A text to look at before it is sent."""

    text: Annotated[str, Field(min_length=1, max_length=TEXT_LIMIT)]
    variables: dict[Name, str] = Field(default={}, max_length=200)


router = APIRouter(prefix="/api/v1", tags=["messages"])


@router.post("/messages/preview", openapi_extra=not_a_command(), responses=answers(Previewed))
async def preview(wanted: Preview, _caller: Reader) -> dict[str, Any]:
    """Render a text and count it. A variable without a value is `missing` and stays as it is.

    An `index` counts characters (code points) of `rendered`. A text that is too long to be sent
    is counted all the same.
    """
    if wrong := mistakes(wanted.text):
        raise Problem(
            422,
            "invalid",
            f"text: {'; '.join(wrong)}.",
            errors=[{"field": "text", "reason": reason} for reason in wrong],
        )
    missing = sorted(variables(wanted.text) - wanted.variables.keys())
    shown = {name: f"{{{{{name}}}}}" for name in missing} | wanted.variables
    if rendered_length(wanted.text, shown) > TEXT_LIMIT:
        raise Problem(422, "invalid", f"The rendered text is over {TEXT_LIMIT} characters long.")
    rendered = render(wanted.text, shown)
    found = segmentation(rendered)
    return {
        "encoding": found.encoding,
        "length": found.length,
        "segments": found.segments,
        "offending": [
            {"character": character, "index": index} for character, index in offending(rendered)
        ],
        "rendered": rendered,
        "missing": missing,
    }
