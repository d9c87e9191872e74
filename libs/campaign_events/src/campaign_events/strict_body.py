"""What request bodies are made of: unknown fields are mistakes, and values are what they look like.

Pydantic would take `"yes"` for true, `"5"` and `true` for numbers. Here whoever sends those learns
of it, for a client that quotes one value by mistake has others that are not what it believes.
"""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Strict

Flag = Annotated[bool, Strict()]
Whole = Annotated[int, Strict()]
Real = Annotated[float, Strict()]
"""A number; a whole one is one, too."""


class Body(BaseModel):
    """A request's body."""

    model_config = ConfigDict(extra="forbid")
