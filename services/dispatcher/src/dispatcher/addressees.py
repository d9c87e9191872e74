"""Whom an inbound message was for: approved senders, links in use, and each workspace's words."""

from collections import defaultdict
from collections.abc import Sequence

from pymongo import IndexModel, UpdateOne

from campaign_events.campaign import (
    CampaignCreated,
    CampaignEdited,
    SettingsChanged,
    WorkspaceSettings,
)
from campaign_events.envelope import Events
from campaign_events.projection import Projection, View, Write, Writes
from campaign_events.sender import RevisionApproved, RevisionSubmitted


def normal(address: str) -> str:
    """Return an address as it is compared: carriers disagree about the plus sign and about case."""
    return address.strip().removeprefix("+").casefold()


def fold(events: Events) -> Writes:
    """Keep every address of every sender, who uses which link, and settings of workspaces."""
    senders: list[Write] = []
    links: dict[str, Write] = {}
    workspaces: list[Write] = []
    for recorded in events:
        workspace, thing = recorded.address.workspace, recorded.address.thing
        match recorded.event:
            case RevisionSubmitted(revision=revision):
                name = {"_id": f"{workspace}/{thing}/{revision.number}"}
                address = {"workspace": workspace, "address": normal(revision.saddr)}
                senders.append(UpdateOne(name, {"$set": address}, upsert=True))
            case RevisionApproved(number=number):
                name = {"_id": f"{workspace}/{thing}/{number}"}
                senders.append(UpdateOne(name, {"$set": {"approved": True}}, upsert=True))
            case CampaignCreated(settings=settings) | CampaignEdited(settings=settings):
                used = {"link": settings.link_id, "workspace": workspace}
                name = {"_id": f"{settings.link_id}/{workspace}"}
                links[name["_id"]] = UpdateOne(name, {"$set": used}, upsert=True)
            case SettingsChanged(settings=settings):
                chosen = {"settings": settings.model_dump()}
                workspaces.append(UpdateOne({"_id": workspace}, {"$set": chosen}, upsert=True))
            case _:
                pass
    return {"addresses": senders, "links_used": list(links.values()), "workspaces": workspaces}


ADDRESSEES = Projection(
    name="addressees",
    revision=1,
    stream="CAMPAIGNS",
    fold=fold,
    collections={
        "addresses": (IndexModel([("address", 1), ("approved", 1)]),),
        "links_used": (IndexModel("link"),),
        "workspaces": (),
    },
)


class Addressees:
    """The queries on that view."""

    def __init__(self, view: View) -> None:
        self._view = view

    async def settings(self, workspace: str) -> WorkspaceSettings:
        """Return what an admin of a workspace has chosen, or the defaults."""
        return (await self.settings_of([workspace]))[workspace]

    async def settings_of(self, workspaces: Sequence[str]) -> dict[str, WorkspaceSettings]:
        """Return the settings of several workspaces in one read."""
        found = self._view["workspaces"].find({"_id": {"$in": list(workspaces)}})
        chosen = {row["_id"]: row["settings"] async for row in found}
        return {name: WorkspaceSettings.model_validate(chosen.get(name, {})) for name in workspaces}

    async def by_address(self, addresses: Sequence[str]) -> dict[str, set[str]]:
        """Return the workspaces that have, or had, an approved sender of these addresses."""
        wanted = {"address": {"$in": [normal(one) for one in addresses]}, "approved": True}
        workspaces: defaultdict[str, set[str]] = defaultdict(set)
        async for row in self._view["addresses"].find(wanted):
            workspaces[row["address"]].add(row["workspace"])
        return {one: found for one in addresses if (found := workspaces.get(normal(one)))}

    async def by_link(self, link: str) -> set[str]:
        """Return the workspaces that have had a campaign for a link."""
        return {row["workspace"] async for row in self._view["links_used"].find({"link": link})}
