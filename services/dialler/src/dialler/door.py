"""What the dialler's resources share: who may ask, how much at once, and who sees phones."""

from typing import Annotated

from fastapi import Depends, Query

from campaign_events.access import Allowed, Caller, Permission
from campaign_events.problems import not_found
from campaign_events.projection import Document
from dialler.reading import Views

type Reader = Annotated[Caller, Depends(Allowed(Permission.READ))]
type Limit = Annotated[int, Query(ge=1, le=1000)]

_VIEWER = frozenset(("viewer",))


async def campaign_of(views: Views, caller: Caller, campaign_id: str) -> Document:
    """Return a voice campaign of the caller's workspace.

    Raises:
        Problem: 404 when there is none.

    """
    found = await views.campaigns.find_one({"_id": campaign_id, "workspace": caller.workspace})
    if found is None:
        raise not_found("campaign")
    return found


def sees_phones(caller: Caller) -> bool:
    """Tell whether a caller is more than a viewer."""
    return not caller.roles <= _VIEWER


def masked(phone: str) -> str:
    """Return a phone as viewers see it."""
    return f"{phone[:3]}{'*' * (len(phone) - 5)}{phone[-2:]}"
