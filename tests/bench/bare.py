"""What an overview is measured beside: `python -m bench.bare PORT MONGO_URL WORKSPACE`.

The same web server, framework, driver and settings as a service has, and nothing of what a service
does for its callers: no tokens, no limits, no audit, no metrics. `/one` answers with one document,
`/aggregated` with the overview, worked out from one document per message when it is asked for.
"""

import asyncio
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import uvicorn
import uvloop
from fastapi import FastAPI
from pymongo import AsyncMongoClient
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.database import AsyncDatabase

from bench.reader import DATABASE
from campaign_events.projection import Document
from campaign_events.service import collect_garbage_less_often
from read_model.projections import CAMPAIGNS
from read_model.views import funnel

PEER = "aggregated"
ACTIVE = ["building", "pending", "sending", "paused"]
COUNT = {"$sum": 1}


async def overview(db: AsyncDatabase[Document], workspace: str) -> dict[str, Any]:
    """Return what `GET /overview` tells of campaigns and messages, all questions side by side."""
    now, mine = datetime.now(UTC), {"workspace": workspace}
    day, month = now - timedelta(hours=24), now - timedelta(days=30)
    active, recent = await asyncio.gather(
        db.campaigns.find(mine | {"status": {"$in": ACTIVE}}, {"_id": 1}).to_list(),
        db.campaigns.find(mine).sort("created_at", -1).limit(10).to_list(),
    )
    ids = [row["_id"] for row in (*active, *recent)]
    by_status, totals, authors, sent, failed, delivered = await asyncio.gather(
        _grouped(db.campaigns, mine, "$status"),
        _grouped(db.messages, {"campaign": {"$in": ids}}, {"of": "$campaign", "is": "$status"}),
        _grouped(db.campaigns, mine | {"created_at": {"$gte": month}}, "$author"),
        _grouped(db.messages, mine | {"submitted_at": {"$gte": day}}, _hour("$submitted_at")),
        _grouped(
            db.messages,
            mine | {"status": "failed", "reported_at": {"$gte": day}},
            _hour("$reported_at"),
        ),
        db.messages.count_documents(
            mine | {"status": "delivered", "reported_at": {"$gt": now - timedelta(seconds=5)}}
        ),
    )
    return {
        "funnel": by_status,
        "totals": totals,
        "top_authors": sorted(authors, key=lambda one: -one["count"])[:10],
        "activity": [sent, failed],
        "pulse": delivered,
        "recent": recent,
    }


async def _grouped(
    collection: AsyncCollection[Document], chosen: Document, by: object
) -> list[Document]:
    stages = [{"$match": chosen}, {"$group": {"_id": by, "count": COUNT}}]
    return await (await collection.aggregate(stages)).to_list()


def _hour(moment: str) -> Document:
    return {"$dateTrunc": {"date": moment, "unit": "hour"}}


async def main(port: int, mongo_url: str, workspace: str) -> None:
    """Serve until terminated."""
    collect_garbage_less_often()
    mongo: AsyncMongoClient[Document] = AsyncMongoClient(
        mongo_url, tz_aware=True, w="majority", journal=True, readConcernLevel="majority"
    )
    counts = mongo[DATABASE][CAMPAIGNS.collection(funnel.NAME)]
    app = FastAPI()

    @app.get("/one")
    async def one() -> dict[str, Any] | None:
        return await counts.find_one({"_id": workspace})

    @app.get("/aggregated")
    async def aggregated() -> dict[str, Any]:
        return await overview(mongo[PEER], workspace)

    config = uvicorn.Config(
        app,
        port=port,
        log_config=None,
        access_log=False,
        timeout_keep_alive=30,
        server_header=False,
        ws="none",
    )
    await uvicorn.Server(config).serve()
    await mongo.close()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1]), *sys.argv[2:]))
