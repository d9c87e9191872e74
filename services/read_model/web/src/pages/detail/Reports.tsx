import { Group, Stack, Text } from "@mantine/core";
import type { Campaign } from "@/api/types";
import { DownloadButton } from "@/components/DownloadButton";
import { Panel } from "@/components/Panel";
import { texts } from "@/texts";

const { detail } = texts;

/** What can be taken along, for a spreadsheet. */
export function Reports({ campaign }: { campaign: Campaign }) {
  const base = `/api/v1/campaigns/${campaign.id}`;
  const isSms = campaign.channel === "sms";
  const name = isSms ? detail.deliveryReport : detail.attemptReport;
  const run = isSms ? "" : `?run=${campaign.run}`;
  const kind = isSms ? "delivery-report" : "attempt-report";
  const file = `${kind}-${campaign.short_id}${isSms ? "" : `-run-${campaign.run}`}.csv`;
  return (
    <Panel title={detail.tabs.reports}>
      <Group justify="space-between" gap="md">
        <Stack gap={4} maw="40rem">
          <Text fw={600}>{name}</Text>
          <Text size="sm" c="dimmed">
            {isSms ? detail.deliveryReportText : detail.attemptReportText} {detail.reportsLead}
          </Text>
        </Stack>
        <DownloadButton path={`${base}/${kind}.csv${run}`} file={file} label={detail.downloadCsv} />
      </Group>
    </Panel>
  );
}
