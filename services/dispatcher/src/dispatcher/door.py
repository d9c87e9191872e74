"""What the dispatcher's resources share: who may ask, and how much at once."""

from typing import Annotated

from fastapi import Depends, Query

from campaign_events.access import Allowed, Caller, Permission
from campaign_events.paging import MAX_LIMIT
from campaign_events.problems import not_found
from campaign_events.projection import Document
from dispatcher.reading import Views

type Reader = Annotated[Caller, Depends(Allowed(Permission.READ))]
type Administrator = Annotated[Caller, Depends(Allowed(Permission.ADMINISTER))]
type Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT)]


async def campaign_of(views: Views, caller: Caller, campaign_id: str) -> Document:
    """Return a campaign of the caller's workspace.

    Raises:
        Problem: 404 when there is none.

    """
    found = await views.campaigns.find_one({"_id": campaign_id, "workspace": caller.workspace})
    if found is None:
        raise not_found("campaign")
    return found
