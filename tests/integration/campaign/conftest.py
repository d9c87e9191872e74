"""A team in front of the campaign service, for every file here."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from nats.aio.client import Client

from campaign_events.projection import Database
from campaign_team import Team, core_in, dialler_in, team_in
from doors import at_work


@pytest.fixture
async def team(
    nc: Client, nats_url: str, db: Database, workspace: str, tmp_path: Path
) -> AsyncIterator[Team]:
    async with team_in(workspace, nc, db, nats_url, tmp_path) as team:
        yield team


@pytest.fixture
async def staffed(team: Team) -> AsyncIterator[None]:
    """The service does its work beside HTTP, by the real clock: it launches, sweeps and reacts."""
    async with at_work(team.work):
        yield


@pytest.fixture
async def core(nc: Client) -> AsyncIterator[None]:
    """Everything that a start needs."""
    async with core_in(nc), dialler_in(nc):
        yield
