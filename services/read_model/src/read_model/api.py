"""The HTTP door of the read model: reads only, each in the caller's workspace."""

from typing import Annotated, Any, Literal, cast

from fastapi import APIRouter, Depends, Query, Request, Response

from campaign_events.access import Allowed, Caller, Permission, authenticate
from campaign_events.answers import Campaign, Items, Recent, Row, answers
from campaign_events.campaign import Status
from campaign_events.envelope import Position
from campaign_events.paging import Paged
from campaign_events.positions import settled, tell
from campaign_events.presentation import campaign as campaign_row
from campaign_events.problems import not_found
from campaign_events.voice import VoiceStatus
from read_model.answers import Delivery, Diagnosed, Funnel, Happening, Hour, Kpi, Pulse, TopAuthor
from read_model.answers import Overview as Shown
from read_model.live import campaign_frame, campaign_question, overview_question
from read_model.reading import Reading
from read_model.standing import standing
from read_model.streams import EventStream, Key
from read_model.views import campaigns, history, numbers

type Channel = Literal["sms", "voice"]

Reader = Annotated[Caller, Depends(Allowed(Permission.READ))]
Place = Annotated[Position, Depends(settled)]
IntervalS = Annotated[int, Query(ge=1, le=300)]
Days = Annotated[int, Query(ge=1, le=365)]
Run = Annotated[int | None, Query(ge=1, le=1_000_000)]


async def reading(request: Request) -> Reading:
    """Return what this process reads from."""
    return cast("Reading", request.app.state.reading)


From = Annotated[Reading, Depends(reading)]
router = APIRouter(prefix="/api/v1", dependencies=[Depends(authenticate), Depends(settled)])


@router.get("/overview", responses=answers(Shown))
async def overview(caller: Reader, source: From, position: Place) -> Response:
    """Return all parts of the overview at once."""
    whole = await source.overview.whole(caller.workspace)
    response = Response(whole.encoded, media_type="application/json")
    tell(response, position)
    return response


@router.get("/overview/kpi", responses=answers(Kpi))
async def kpi(caller: Reader, source: From) -> dict[str, int]:
    """Return the four tiles."""
    return await source.overview.kpi(caller.workspace)


@router.get("/overview/pulse", responses=answers(Pulse))
async def pulse(caller: Reader, source: From, interval_s: IntervalS = 5) -> dict[str, Any]:
    """Return what moves right now."""
    return await source.overview.pulse(caller.workspace, interval_s)


@router.get("/overview/delivery", responses=answers(Delivery))
async def donut(caller: Reader, source: From) -> dict[str, Any]:
    """Return the numbers of all active campaigns."""
    return await source.overview.delivery(caller.workspace)


@router.get("/overview/funnel", responses=answers(Funnel))
async def funnel(caller: Reader, source: From) -> dict[str, Any]:
    """Return the number of campaigns per status."""
    return await source.overview.funnel(caller.workspace)


@router.get("/overview/activity", responses=answers(Items[Hour]))
async def activity(
    caller: Reader, source: From, page: Paged, channel: Channel = "sms"
) -> dict[str, Any]:
    """Return the last 24 hours."""
    return page.of(await source.overview.activity(caller.workspace, channel))


@router.get("/overview/top-authors", responses=answers(Items[TopAuthor]))
async def top_authors(caller: Reader, source: From, page: Paged, days: Days = 30) -> dict[str, Any]:
    """Return who has created the most campaigns."""
    return await source.overview.top_authors(caller.workspace, days, page)


@router.get("/overview/recent", responses=answers(Items[Recent]))
async def recent(caller: Reader, source: From, page: Paged) -> dict[str, Any]:
    """Return the newest campaigns."""
    return page.of(await source.overview.recent(caller.workspace))


@router.get("/overview/stream", status_code=200, response_class=EventStream)
async def overview_stream(caller: Reader, source: From, position: Place) -> EventStream:
    """Stream the overview: `event: overview`."""
    source.streams.check_room()
    question = overview_question(source.overview, source.projectors, caller.workspace)
    frames = source.streams.frames(Key(caller.workspace), question, lambda page: page.frame)
    return EventStream(frames, str(position))


async def wanted(
    *,
    status: Annotated[list[Status | VoiceStatus | Literal[""]] | None, Query()] = None,
    channel: Channel | Literal[""] | None = None,
    author: Annotated[str | None, Query(max_length=200)] = None,
    archived: bool | Literal[""] = False,
) -> campaigns.Wanted:
    """Return which campaigns are asked for; an empty filter is none."""
    return campaigns.Wanted(
        statuses=[name for name in status or () if name],
        channel=channel or None,
        author=author or None,
        archived=bool(archived),
    )


@router.get("/campaigns", responses=answers(Items[Row]))
async def campaign_list(
    caller: Reader,
    source: From,
    page: Paged,
    chosen: Annotated[campaigns.Wanted, Depends(wanted)],
) -> dict[str, Any]:
    """Return the campaigns of the workspace, the newest first."""
    rows = await campaigns.page(source.views.campaigns, caller.workspace, chosen, page)
    totals = await numbers.of(source.views.counters, source.views.runs, rows)
    return page.answer(
        rows,
        lambda row: int(row["place"]),
        lambda row: campaign_row(row, totals.get(row["_id"], {}), caller, detail=False),
    )


@router.get("/campaigns/{campaign_id}", responses=answers(Campaign))
async def campaign(
    caller: Reader, source: From, campaign_id: str, run: Run = None
) -> dict[str, Any]:
    """Return one campaign with every setting, and the numbers of its current or another run."""
    found = await standing(source.views, source.dialler, caller.workspace, campaign_id, run)
    if found is None:
        raise not_found("campaign" if run is None else "campaign, or no such run of it")
    return found.shown(caller)


@router.get("/campaigns/{campaign_id}/activity", responses=answers(Items[Happening]))
async def campaign_activity(
    caller: Reader, source: From, page: Paged, campaign_id: str
) -> dict[str, Any]:
    """Return who did what to one campaign, the newest first."""
    if await campaigns.one(source.views.campaigns, caller.workspace, campaign_id) is None:
        raise not_found("campaign")
    found = await history.page(source.views.history, caller.workspace, campaign_id, page)
    return page.answer(found, lambda entry: int(entry["_id"]), history.shown)


@router.get("/campaigns/{campaign_id}/stream", status_code=200, response_class=EventStream)
async def campaign_stream(
    caller: Reader, source: From, position: Place, campaign_id: str
) -> EventStream:
    """Stream one campaign: `event: campaign`."""
    source.streams.check_room()
    if await campaigns.one(source.views.campaigns, caller.workspace, campaign_id) is None:
        raise not_found("campaign")
    key = Key(caller.workspace, campaign_id)
    question = campaign_question(source.views, source.dialler, source.projectors, key)
    frames = source.streams.frames(key, question, campaign_frame(caller))
    return EventStream(frames, str(position))


@router.get("/diagnostics", responses=answers(Diagnosed))
async def diagnostics(caller: Reader, source: From) -> dict[str, Any]:
    """Return the state of the platform; also while parts of it are away."""
    details = caller.may(Permission.ADMINISTER)
    return await source.overview.diagnostics.shown(caller.workspace, details=details)
