import { Group, Progress, Text } from "@mantine/core";
import type { Campaign } from "@/api/types";
import { buildCampaignProgressSummary } from "@/pages/campaignProgress";
import { texts } from "@/texts";
import { count, percent } from "@/utils/format";

/** How far the campaign is, as one bar over everything. */
export function ProgressBar({ campaign }: { campaign: Campaign }) {
  const summary = buildCampaignProgressSummary(campaign.stats);
  const total = campaign.channel === "sms" ? campaign.stats.total : campaign.stats.total_calls;
  const said = texts.detail.processed(count(summary.processedCount), count(total));
  return (
    <div>
      <Group justify="space-between" mb={6} gap="xs">
        <Text size="sm" c="dimmed">
          {said}
        </Text>
        <Text fw={650} fz="lg" lh={1}>
          {percent(summary.processedPercent)}
        </Text>
      </Group>
      <Progress.Root size="lg" radius="xl">
        <Progress.Section
          value={summary.processedPercent}
          color="teal.6"
          aria-label={texts.detail.progress}
          aria-valuetext={said}
        />
      </Progress.Root>
      {summary.baseDiallingCompleted && (
        <Text size="sm" c="dimmed" mt={6}>
          {texts.detail.onlyCallbacks}
        </Text>
      )}
    </div>
  );
}
