"""What the settings of a voice campaign must satisfy: always, and before anybody is called.

A draft may lack caller ids, seats and a valid window; it can not be started without them.
"""

from campaign.rules import MAX_NAME
from campaign.voice.state import VoiceCampaign
from campaign_events.voice import TimeWindow, VoiceSettings

NOBODY_LEFT = "no contacts left to call"
NO_CALLER_ID = "no caller id"
NO_SEATS = "no seats"
NO_WINDOW = "no valid window: it needs days, and must not end when it starts"


def flawed(settings: VoiceSettings) -> list[str]:
    """Return what is wrong with the settings, whoever chose them and in however many steps."""
    if not settings.name.strip() or len(settings.name) > MAX_NAME:
        return [f"name must have 1 to {MAX_NAME} characters"]
    return []


def unready(campaign: VoiceCampaign) -> list[str]:
    """Return everything that keeps the campaign from being started.

    One that is `always_on` may begin with nobody: contacts are added while it runs.
    """
    nobody = campaign.has_nobody_left and not campaign.settings.always_on
    return [*([NOBODY_LEFT] if nobody else []), *unable(campaign.settings)]


def unable(settings: VoiceSettings) -> list[str]:
    """Return what the settings lack for calls to be placed."""
    reasons = []
    if not settings.caller_ids:
        reasons.append(NO_CALLER_ID)
    if settings.concurrency_limit < 1:
        reasons.append(NO_SEATS)
    if not _opens(settings.time_window):
        reasons.append(NO_WINDOW)
    return reasons


def _opens(window: TimeWindow) -> bool:
    return bool(window.days) and window.start != window.end
