import { Button, Group, Progress, Stack, Text } from "@mantine/core";
import { Link } from "react-router";
import { Page } from "@/components/Page";
import { Panel } from "@/components/Panel";
import { texts } from "@/texts";
import { bytes } from "@/texts/format";
import type { Draft } from "./draft";
import { UploadReportPanel } from "./UploadReportPanel";
import type { Moving, Saved } from "./useSaving";

const { wizard } = texts;

/** How far the audience is on its way. */
export function Uploading({ moving }: { moving: Moving }) {
  const part = moving.total > 0 ? (moving.bytes * 100) / moving.total : 100;
  const isThere = moving.bytes >= moving.total;
  const said = isThere
    ? wizard.checking
    : wizard.uploaded(bytes(moving.bytes), bytes(moving.total));
  return (
    <Panel title={wizard.uploading}>
      <Stack gap="sm">
        <Progress.Root size="xl" radius="xl">
          <Progress.Section
            value={part}
            animated={isThere}
            aria-label={wizard.uploading}
            aria-valuetext={said}
          />
        </Progress.Root>
        <Group justify="space-between">
          <Text size="sm" c="dimmed" role="status">
            {said}
          </Text>
          <Button size="xs" variant="default" onClick={moving.stop}>
            {wizard.stopUpload}
          </Button>
        </Group>
      </Stack>
    </Panel>
  );
}

interface Parts {
  saved: Saved;
  draft: Draft;
  isNew: boolean;
  onOther: () => void;
}

/** What was done, what became of the file, and where to go from here. */
export function Outcome({ saved, draft, isNew, onOther }: Parts) {
  const next = draft.channel === "sms" ? wizard.nextSms : wizard.nextVoice;
  return (
    <Page title={isNew ? wizard.created(draft.name) : wizard.saved(draft.name)}>
      <Stack gap="md" maw="60rem">
        {isNew && <Text c="dimmed">{next}</Text>}
        {saved.upload && (
          <Panel title={wizard.reportTitle}>
            <UploadReportPanel report={saved.upload} />
          </Panel>
        )}
        <Group>
          <Button component={Link} to={`/dashboard/campaigns/${saved.id}`}>
            {wizard.open}
          </Button>
          {saved.upload && (
            <Button variant="default" onClick={onOther}>
              {wizard.uploadOther}
            </Button>
          )}
        </Group>
      </Stack>
    </Page>
  );
}
