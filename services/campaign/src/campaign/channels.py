"""Bodies that depend on the channel: whoever reads one learns the channel first."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal

from fastapi.exceptions import RequestValidationError
from pydantic import (
    BaseModel,
    GetJsonSchemaHandler,
    RootModel,
    ValidationError,
    WrapValidator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from campaign.requests import CampaignChanges, SmsCampaignBody
from campaign.state import Campaign
from campaign.voice.requests import VoiceCampaignBody, VoiceChanges
from campaign.voice.state import VoiceCampaign


class _Channel(BaseModel):
    channel: Literal["sms", "voice"]


_NEW: Mapping[str, type[SmsCampaignBody | VoiceCampaignBody]] = {
    "sms": SmsCampaignBody,
    "voice": VoiceCampaignBody,
}


def _by_channel(
    given: object, _: Callable[[object], object]
) -> SmsCampaignBody | VoiceCampaignBody:
    """Read the body of one channel only, so that mistakes are told in its fields."""
    return _NEW[_Channel.model_validate(given).channel].model_validate(given)


type NewCampaign = Annotated[SmsCampaignBody | VoiceCampaignBody, WrapValidator(_by_channel)]


class Changes(RootModel[dict[str, Any]]):
    """Some settings of a campaign, not read yet: which there are, its channel decides."""

    def to(self, campaign: Campaign | VoiceCampaign) -> dict[str, object]:
        """Return the changes with the types of the campaign's settings.

        Raises:
            RequestValidationError: they are no settings of its channel.

        """
        model = CampaignChanges if isinstance(campaign, Campaign) else VoiceChanges
        context = {"default_region": campaign.settings.default_region}
        try:
            return model.model_validate(self.root, context=context).given()
        except ValidationError as error:
            found = [{**one, "loc": ("body", *one["loc"])} for one in error.errors()]
            raise RequestValidationError(found) from error

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Describe both kinds."""
        kinds = (CampaignChanges, VoiceChanges)
        return {"anyOf": [handler(kind.__pydantic_core_schema__) for kind in kinds]}
