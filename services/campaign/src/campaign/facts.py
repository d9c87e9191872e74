"""What the history of a thing in CAMPAIGNS may hold."""

from campaign_events.campaign import SettingsChanged, SmsCampaignEvent
from campaign_events.envelope import Unknown
from campaign_events.moderation import ModerationEvent
from campaign_events.sender import SenderEvent
from campaign_events.voice import VoiceCampaignEvent

type CampaignFact = SmsCampaignEvent | VoiceCampaignEvent
"""What this service says about a campaign; some facts are the same for both channels."""

type Fact = CampaignFact | ModerationEvent | SenderEvent | SettingsChanged | Unknown
"""The ids of senders and of the settings name no campaign."""
