"""What clients send to the moderation service; anything unknown in it is refused."""

from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from campaign_events.strict_body import Body, Whole
from moderation.addresses import source
from moderation.sender import Wording

Note = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
TypeOfNumber = Annotated[Whole, Field(ge=0, le=6)]
NumberingPlan = Annotated[Whole, Field(ge=0, le=18)]


class Approval(Body):
    """A yes, with or without a note."""

    note: Annotated[str, StringConstraints(strip_whitespace=True, max_length=2000)] | None = None


class Rejection(Body):
    """A no; it says why."""

    note: Note


class NewRevision(Body):
    """How a sender is to appear from now on."""

    saddr: str = Field(max_length=40)
    reason: Note | None = None
    ston: TypeOfNumber | None = None
    snpi: NumberingPlan | None = None
    dton: TypeOfNumber = 1
    dnpi: NumberingPlan = 1

    @model_validator(mode="after")
    def _sound(self) -> Self:
        source(self.saddr, self.ston, self.snpi)
        return self

    @property
    def wording(self) -> Wording:
        """What the revision says."""
        address = source(self.saddr, self.ston, self.snpi)
        return Wording(
            saddr=address.saddr,
            ston=address.ston,
            snpi=address.snpi,
            dton=self.dton,
            dnpi=self.dnpi,
            reason=self.reason,
        )


class NewSender(NewRevision):
    """A sender with its first revision."""

    name: Name
