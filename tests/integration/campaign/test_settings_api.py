"""`/settings`: what holds for a whole workspace."""

from typing import Any

import pytest

from campaign_events.campaign import SETTINGS, SettingsChanged, WorkspaceSettings
from campaign_events.envelope import Position
from campaign_team import CAMPAIGNS, Team, problem

PATH = "/api/v1/settings"
DEFAULTS = WorkspaceSettings(retention_days=90).model_dump(mode="json")


async def test_everybody_reads_the_settings_and_they_have_defaults(team: Team) -> None:
    for role in ("viewer", "author", "moderator", "admin"):
        async with team.speak(role) as person:
            answer = await person.get(PATH)
        assert (answer.status_code, answer.json()) == (200, DEFAULTS)
        Position.parse(answer.headers["Event-Position"])


async def test_an_admin_changes_what_is_named_and_nothing_else(team: Team) -> None:
    changes = {"allow_self_approval": True, "stop_words": [" Halt ", "STOP"]}
    async with team.speak("admin") as admin:
        first = await admin.patch(PATH, json=changes)
        second = await admin.patch(PATH, json={"default_region": "GB", "retention_days": 1})
        third = await admin.patch(PATH, json={"default_region": None})
        read = await admin.get(PATH)

    expected = DEFAULTS | changes | {"stop_words": ["Halt", "STOP"]}
    assert first.json() == expected
    assert second.json() == expected | {"default_region": "GB", "retention_days": 1}
    assert third.json() == read.json() == expected | {"retention_days": 1}
    assert read.headers["Event-Position"] == third.headers["Event-Position"]
    facts = await team.facts(SETTINGS)
    assert [type(fact) for fact in facts] == [SettingsChanged] * 3
    assert facts[0].by.id == "ann"


@pytest.mark.parametrize("changes", [{}, {"stop_words": DEFAULTS["stop_words"]}])
async def test_a_change_that_changes_nothing_is_no_event(
    team: Team, changes: dict[str, Any]
) -> None:
    async with team.speak("admin") as admin:
        answer = await admin.patch(PATH, json=changes)

    assert (answer.status_code, answer.json()) == (200, DEFAULTS)
    Position.parse(answer.headers["Event-Position"])
    assert await team.facts(SETTINGS) == []


async def test_only_an_admin_changes_settings_and_only_of_their_workspace(team: Team) -> None:
    for role in ("viewer", "author", "moderator"):
        async with team.speak(role) as person:
            answer = await person.patch(PATH, json={"retention_days": 1})
            problem(answer, 403, "forbidden")
    async with team.speak("admin", workspace="elsewhere") as stranger:
        assert (await stranger.get(PATH)).json() == DEFAULTS
        elsewhere = {"workspace": team.workspace}
        answer = await stranger.patch(PATH, json={"retention_days": 1}, params=elsewhere)
        problem(answer, 403, "forbidden")
    async with team.speak("super_admin", workspace="elsewhere") as owner:
        answer = await owner.patch(PATH, json={"retention_days": 1}, params=elsewhere)
        assert answer.json()["retention_days"] == 1
    assert len(await team.facts(SETTINGS)) == 1


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"allow_self_approval": "yes"}, "allow_self_approval"),
        ({"allow_self_approval": None}, "allow_self_approval"),
        ({"default_region": "XX"}, "region code"),
        ({"default_region": "gb"}, "region code"),
        ({"default_region": 1}, "default_region"),
        ({"stop_words": []}, "stop_words"),
        ({"stop_words": None}, "stop_words"),
        ({"stop_words": "STOP"}, "stop_words"),
        ({"stop_words": [" "]}, "stop_words"),
        ({"stop_words": ["x" * 41]}, "stop_words"),
        ({"stop_words": ["a\0b"]}, "stop_words"),
        ({"stop_words": ["Straße", "STRASSE "]}, "twice"),
        ({"stop_words": [str(number) for number in range(51)]}, "stop_words"),
        ({"retention_days": 0}, "retention_days"),
        ({"retention_days": 3651}, "retention_days"),
        ({"retention_days": 1.5}, "retention_days"),
        ({"retention_days": True}, "retention_days"),
        ({"retention_days": None}, "retention_days"),
        ({"colour": "red"}, "colour"),
    ],
)
async def test_a_bad_setting_is_a_clear_problem(
    team: Team, changes: dict[str, Any], word: str
) -> None:
    async with team.speak("admin") as admin:
        answer = await admin.patch(PATH, json=changes)

    assert word in problem(answer, 422, "invalid")
    assert await team.facts(SETTINGS) == []


async def test_the_settings_are_no_campaign(team: Team) -> None:
    async with team.speak("super_admin") as owner:
        await owner.patch(PATH, json={"retention_days": 1})
        for action in ("start", "pause", "resume", "stop", "clone", "archive", "restore"):
            answer = await owner.post(f"{CAMPAIGNS}/{SETTINGS}/{action}")
            assert (answer.status_code, action) in [(404, action), (503, action)]
        problem(await owner.patch(f"{CAMPAIGNS}/{SETTINGS}", json={"name": "x"}), 404, "not_found")
        problem(await owner.delete(f"{CAMPAIGNS}/{SETTINGS}"), 404, "not_found")
        wish = team.wish(sender_id=SETTINGS)
        assert "sender_id" in problem(await owner.post(CAMPAIGNS, json=wish), 422, "invalid")


async def test_numbers_are_at_home_where_the_workspace_is(team: Team) -> None:
    campaign = await team.made()
    elsewhere = await team.made(default_region="US")
    headers = {"Content-Type": "text/plain"}
    async with team.speak("admin") as admin:
        path = f"{CAMPAIGNS}/{campaign}/contacts"
        before = await admin.put(path, content=b"07911 123456\n", headers=headers)
        await admin.patch(PATH, json={"default_region": "GB"})
        after = await admin.put(path, content=b"07911 123456\n", headers=headers)
        path = f"{CAMPAIGNS}/{elsewhere}/contacts"
        own = await admin.put(path, content=b"07911 123456\n(212) 555-0123\n", headers=headers)

    assert (before.json()["accepted"], before.json()["invalid"]) == (0, 1)
    assert (after.json()["accepted"], after.json()["invalid"]) == (1, 0)
    assert (own.json()["accepted"], own.json()["invalid"]) == (1, 1)
