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
    given(settings_decider).when(ChangeSettings({"retention_days": 90}, ANN)).then()
    given(settings_decider, BRITISH).when(ChangeSettings({"default_region": "GB"}, ANN)).then()


def test_facts_about_anything_else_change_nothing() -> None:
    other = Unknown(type="campaign.sung", data={})
    given(settings_decider, BRITISH, other).when(ChangeSettings({}, ANN)).then()
