"""The settings of a workspace, decided: one history per workspace. No I/O, no clock."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from campaign_events.campaign import SettingsChanged, WorkspaceSettings
from campaign_events.decider import Decider
from campaign_events.envelope import Actor, Event


@dataclass(frozen=True, slots=True)
class ChangeSettings:
    """Change the given settings and leave the others."""

    changes: Mapping[str, object]
    by: Actor


def decide(settings: WorkspaceSettings, command: ChangeSettings) -> Sequence[Event]:
    """Return the change, if it is one."""
    wanted = WorkspaceSettings.model_validate(settings.model_dump() | dict(command.changes))
    return [] if wanted == settings else [SettingsChanged(settings=wanted, by=command.by)]


def evolve(settings: WorkspaceSettings, event: Event) -> WorkspaceSettings:
    """Return the settings after an event; no other facts are about them."""
    return event.settings if isinstance(event, SettingsChanged) else settings


settings_decider: Decider[ChangeSettings, Event, WorkspaceSettings] = Decider(
    WorkspaceSettings(), decide, evolve
)
