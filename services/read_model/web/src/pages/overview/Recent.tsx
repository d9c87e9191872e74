import { Anchor, Button, Group, Progress, Table, Text } from "@mantine/core";
import { IconSpeakerphone } from "@tabler/icons-react";
import { Link, useNavigate } from "react-router";
import type { RecentCampaign } from "@/api/types";
import { useMay } from "@/auth/session";
import { ChannelIcon } from "@/components/ChannelIcon";
import { Panel } from "@/components/Panel";
import { Empty } from "@/components/States";
import { StatusBadge } from "@/components/StatusBadge";
import { STATUS_COLORS } from "@/components/statusColors";
import { texts } from "@/texts";
import { dateTime, percent, relative } from "@/texts/format";
import classes from "./Overview.module.css";

/** The newest campaigns; every row opens its campaign. */
export function Recent({ campaigns }: { campaigns: readonly RecentCampaign[] }) {
  const { recent: words } = texts.overview;
  const mayCreate = useMay("author");
  return (
    <Panel
      flush
      title={words.title}
      aside={
        <Anchor component={Link} to="/dashboard/campaigns" size="sm" fw={550}>
          {words.all}
        </Anchor>
      }
    >
      {campaigns.length === 0 ? (
        <Empty title={words.nothing} icon={<IconSpeakerphone aria-hidden />}>
          <p>{words.nothingHint}</p>
          {mayCreate && (
            <Button component={Link} to="/dashboard/campaigns/new" variant="light">
              {words.first}
            </Button>
          )}
        </Empty>
      ) : (
        <Table highlightOnHover data-testid="recent">
          <Table.Thead>
            <Table.Tr>
              <Table.Th scope="col">{words.campaign}</Table.Th>
              <Table.Th scope="col">{words.status}</Table.Th>
              <Table.Th scope="col" visibleFrom="xs">
                {words.progress}
              </Table.Th>
              <Table.Th scope="col" visibleFrom="sm">
                {words.author}
              </Table.Th>
              <Table.Th scope="col" ta="right" visibleFrom="xs">
                {words.created}
              </Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {campaigns.map((campaign) => (
              <Row key={campaign.id} campaign={campaign} />
            ))}
          </Table.Tbody>
        </Table>
      )}
    </Panel>
  );
}

function Row({ campaign }: { campaign: RecentCampaign }) {
  const navigate = useNavigate();
  const place = `/dashboard/campaigns/${campaign.id}`;
  const { processed_percent: processed } = campaign.progress;
  return (
    <Table.Tr className={classes.row} onClick={() => void navigate(place)}>
      <Table.Td className={classes.name}>
        <Group gap="sm" wrap="nowrap">
          <ChannelIcon channel={campaign.channel} />
          <div style={{ minWidth: 0 }}>
            <Anchor
              component={Link}
              to={place}
              size="sm"
              fw={600}
              c="var(--mantine-color-text)"
              lineClamp={2}
            >
              {campaign.name}
            </Anchor>
            <Text size="xs" c="dimmed" ff="monospace">
              {campaign.short_id}
            </Text>
            <Text size="xs" c="dimmed" hiddenFrom="xs">
              {percent(processed)} · {relative(campaign.created_at)}
            </Text>
          </div>
        </Group>
      </Table.Td>
      <Table.Td>
        <StatusBadge status={campaign.status} />
      </Table.Td>
      <Table.Td className={classes.progress} visibleFrom="xs">
        <Group gap="sm" wrap="nowrap">
          <Progress
            value={processed}
            color={`${STATUS_COLORS[campaign.status]}.5`}
            flex={1}
            aria-label={texts.overview.recent.progressOf(campaign.name)}
          />
          <Text size="xs" w="3.2rem" ta="right">
            {percent(processed)}
          </Text>
        </Group>
      </Table.Td>
      <Table.Td visibleFrom="sm">
        <Text size="sm" truncate maw="12rem">
          {campaign.author.name}
        </Text>
      </Table.Td>
      <Table.Td ta="right" visibleFrom="xs">
        <Text size="sm" c="dimmed" title={dateTime(campaign.created_at)}>
          {relative(campaign.created_at)}
        </Text>
      </Table.Td>
    </Table.Tr>
  );
}
