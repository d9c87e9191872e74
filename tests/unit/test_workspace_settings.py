from campaign.workspace import ChangeSettings, settings_decider
from campaign_events.campaign import SettingsChanged, WorkspaceSettings
from campaign_events.envelope import Actor, Unknown
from campaign_events.testing import given

ANN = Actor(id="ann", name="Ann")
BRITISH = SettingsChanged(settings=WorkspaceSettings(default_region="GB"), by=ANN)


def test_a_change_states_all_settings_anew() -> None:
    given(settings_decider).when(ChangeSettings({"default_region": "GB"}, ANN)).then(BRITISH)
    both = WorkspaceSettings(default_region="GB", stop_words=("HALT",))
    given(settings_decider, BRITISH).when(ChangeSettings({"stop_words": ("HALT",)}, ANN)).then(
        SettingsChanged(settings=both, by=ANN)
    )


def test_a_change_to_what_is_already_so_is_none() -> None:
    given(settings_decider).when(ChangeSettings({}, ANN)).then()
    chosen = SettingsChanged(settings=WorkspaceSettings(retention_days=90), by=ANN)
    given(settings_decider, chosen).when(ChangeSettings({"retention_days": 90}, ANN)).then()
    given(settings_decider, BRITISH).when(ChangeSettings({"default_region": "GB"}, ANN)).then()


def test_what_nobody_chose_is_not_in_the_log() -> None:
    """Versions that read it know no absence: they take what they have always taken."""
    assert "retention_days" not in BRITISH.model_dump(mode="json")["settings"]
    chosen = SettingsChanged(settings=WorkspaceSettings(retention_days=7), by=ANN)
    assert chosen.model_dump(mode="json")["settings"]["retention_days"] == 7


def test_facts_about_anything_else_change_nothing() -> None:
    other = Unknown(type="campaign.sung", data={})
    given(settings_decider, BRITISH, other).when(ChangeSettings({}, ANN)).then()
