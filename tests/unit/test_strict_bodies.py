"""A request's values are what they look like: no text for a number, no number for a yes or no."""

from typing import Any

import pytest
from pydantic import ValidationError

from campaign.requests import SmsCampaignBody
from campaign.voice.requests import VoiceCampaignBody
from campaign_events.strict_body import Body
from moderation.bodies import NewSender
from read_model.projections_api import GenerationWish, RebuildWish

SMS = {"channel": "sms", "name": "A", "text": "B", "sender_id": "0" * 36, "link_id": "sim"}
VOICE = {"channel": "voice", "name": "A", "destination": "sim:agents"}
SENDER = {"name": "A", "saddr": "Shop"}


@pytest.mark.parametrize(
    ("body", "given", "wrong"),
    [
        (SmsCampaignBody, SMS, {"auto_start": "yes"}),
        (SmsCampaignBody, SMS, {"auto_start": 1}),
        (VoiceCampaignBody, VOICE, {"always_on": "true"}),
        (VoiceCampaignBody, VOICE, {"concurrency_limit": "5"}),
        (VoiceCampaignBody, VOICE, {"concurrency_limit": True}),
        (VoiceCampaignBody, VOICE, {"cps_limit": "2.5"}),
        (VoiceCampaignBody, VOICE, {"amd": {"enabled": "on"}}),
        (VoiceCampaignBody, VOICE, {"contact_caps": [{"calls": 1, "hours": "24"}]}),
        (NewSender, SENDER, {"ston": "5"}),
        (RebuildWish, {}, {"switch": 0}),
        (GenerationWish, {}, {"generation": "3"}),
    ],
)
def test_a_value_of_another_type_is_refused(
    body: type[Body], given: dict[str, Any], wrong: dict[str, Any]
) -> None:
    body.model_validate(given)
    with pytest.raises(ValidationError, match="should be a valid"):
        body.model_validate(given | wrong)


def test_a_whole_number_is_a_number_too() -> None:
    read = VoiceCampaignBody.model_validate(VOICE | {"cps_limit": 2, "abandon": {"limit": 0}})
    assert (read.cps_limit, read.abandon.limit) == (2.0, 0.0)
