import { useLinkName, useSenderName } from "@/api/names";
import type { Campaign, SmsCampaign, VoiceCampaign } from "@/api/types";
import { type Fact, Facts } from "@/components/Facts";
import { Panel } from "@/components/Panel";
import { texts } from "@/texts";
import { count } from "@/texts/format";
import { smsFacts, voiceFacts } from "./facts";

const { detail } = texts;

/** How the campaign is set up, to be read. */
export function SettingsTab({ campaign }: { campaign: Campaign }) {
  return campaign.channel === "sms" ? (
    <SmsSettings campaign={campaign} />
  ) : (
    <VoiceSettings campaign={campaign} />
  );
}

function SmsSettings({ campaign }: { campaign: SmsCampaign }) {
  const sender = useSenderName(campaign.sender_id);
  const link = useLinkName(campaign.link_id);
  return (
    <Panel title={detail.tabs.settings}>
      <Facts facts={[...smsFacts(campaign, sender, link), audience(campaign)]} />
    </Panel>
  );
}

function VoiceSettings({ campaign }: { campaign: VoiceCampaign }) {
  const excluded: Fact[] =
    campaign.excluded > 0
      ? [{ name: detail.settings.excluded, value: count(campaign.excluded) }]
      : [];
  return (
    <Panel title={detail.tabs.settings}>
      <Facts facts={[...voiceFacts(campaign), audience(campaign), ...excluded]} />
    </Panel>
  );
}

function audience({ contacts }: Campaign): Fact {
  const words = detail.details;
  const value = contacts
    ? (["accepted", "suppressed", "invalid", "duplicate"] as const)
        .map((kind) => `${count(contacts[kind])} ${words[kind]}`)
        .join(", ")
    : "–";
  return { name: detail.settings.audience, value };
}
