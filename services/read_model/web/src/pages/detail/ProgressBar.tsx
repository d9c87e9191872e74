import { Group, Text, VisuallyHidden } from "@mantine/core";
import type { Campaign } from "@/api/types";
import { type Part, ShareBar } from "@/components/Shares";
import { buildCampaignProgressSummary } from "@/pages/campaignProgress";
import { texts } from "@/texts";
import { count, percent } from "@/texts/format";

/** How far the campaign is, and what became of those who are through. */
export function ProgressBar({ campaign, parts }: { campaign: Campaign; parts: readonly Part[] }) {
  const summary = buildCampaignProgressSummary(campaign.stats);
  const total = campaign.channel === "sms" ? campaign.stats.total : campaign.stats.total_calls;
  const said = texts.detail.processed(count(summary.processedCount), count(total));
  return (
    <div>
      <Group justify="space-between" mb={8} gap="xs" align="baseline">
        <Text size="sm" c="dimmed">
          {said}
        </Text>
        <Text fw={650} fz="1.375rem" lh={1}>
          {percent(summary.processedPercent)}
        </Text>
      </Group>
      <VisuallyHidden>
        <progress
          max={100}
          value={summary.processedPercent}
          aria-label={texts.detail.progress}
          aria-valuetext={said}
        />
      </VisuallyHidden>
      <ShareBar parts={parts} />
      {summary.baseDiallingCompleted && (
        <Text size="sm" c="dimmed" mt={6}>
          {texts.detail.onlyCallbacks}
        </Text>
      )}
    </div>
  );
}
