import { ActionIcon, Anchor, CopyButton, Group, Progress, Text, Tooltip } from "@mantine/core";
import { IconCheck, IconCopy } from "@tabler/icons-react";
import { memo } from "react";
import { Link } from "react-router";
import type { CampaignRow } from "@/api/types";
import { CampaignActions } from "@/components/CampaignActions";
import { ChannelIcon } from "@/components/ChannelIcon";
import { StatusBadge } from "@/components/StatusBadge";
import { STATUS_COLORS } from "@/components/statusColors";
import { texts } from "@/texts";
import { count, dateTime, percent, share, shortId } from "@/texts/format";
import { answerRate, buildCampaignProgressSummary, completionRate } from "../campaignProgress";
import classes from "./Campaigns.module.css";

const { campaigns: words } = texts;

interface Parts {
  campaign: CampaignRow;
  index: number;
  offset: number;
  measure: (element: Element | null) => void;
}

/** One campaign. */
export const Row = memo(function Row({ campaign, index, offset, measure }: Parts) {
  return (
    <div
      role="row"
      aria-rowindex={index + 2}
      ref={measure}
      data-index={index}
      data-testid={`campaign-${campaign.id}`}
      className={`${classes.row} ${classes.placed}`}
      style={{ transform: `translateY(${offset}px)` }}
    >
      <div role="cell" className={classes.name}>
        <Name campaign={campaign} />
      </div>
      <div role="cell" className={classes.status}>
        <StatusBadge status={campaign.status} />
      </div>
      <div role="cell" className={classes.progress}>
        <Done campaign={campaign} />
      </div>
      <Rate label={words.columns.answerRate} value={answered(campaign)} />
      <Rate label={words.columns.completion} value={completed(campaign)} />
      <div role="cell" className={classes.actions}>
        <CampaignActions campaign={campaign} />
      </div>
    </div>
  );
});

function Name({ campaign }: { campaign: CampaignRow }) {
  const { id, name, channel, restarted } = campaign;
  return (
    <Group gap="sm" wrap="nowrap" align="flex-start">
      <ChannelIcon channel={channel} size={36} />
      <div style={{ minWidth: 0 }}>
        <Anchor
          component={Link}
          to={`/dashboard/campaigns/${id}`}
          fw={600}
          size="sm"
          c="var(--mantine-color-text)"
          lineClamp={2}
        >
          {name}
        </Anchor>
        <Group gap={2} wrap="nowrap">
          <Text size="xs" c="dimmed" ff="monospace">
            {shortId(id)}
          </Text>
          <CopyButton value={id}>
            {({ copied, copy }) => (
              <Tooltip label={copied ? words.idCopied : texts.shared.copy}>
                <ActionIcon
                  variant="subtle"
                  color={copied ? "green" : "gray"}
                  size="sm"
                  onClick={copy}
                  aria-label={words.copyId(name)}
                >
                  {copied ? (
                    <IconCheck size={14} aria-hidden />
                  ) : (
                    <IconCopy size={14} aria-hidden />
                  )}
                </ActionIcon>
              </Tooltip>
            )}
          </CopyButton>
        </Group>
        {restarted && (
          <Text size="xs" c="dimmed">
            {words.restarted(restarted.by.name, dateTime(restarted.at))}
          </Text>
        )}
      </div>
    </Group>
  );
}

function Done({ campaign }: { campaign: CampaignRow }) {
  const done = buildCampaignProgressSummary(campaign.stats);
  const total = "total" in campaign.stats ? campaign.stats.total : campaign.stats.total_calls;
  return (
    <>
      <Group gap="sm" wrap="nowrap">
        <Progress
          flex={1}
          value={done.processedPercent}
          color={`${STATUS_COLORS[campaign.status]}.5`}
          aria-label={words.progressOf(campaign.name)}
        />
        <Text size="sm" fw={600} w="3.4rem" ta="right">
          {percent(done.processedPercent)}
        </Text>
      </Group>
      <Text size="xs" c="dimmed">
        {"delivered" in campaign.stats
          ? words.delivered(count(campaign.stats.delivered))
          : words.connected(count(campaign.stats.connected))}
        {" · "}
        {done.baseDiallingCompleted
          ? words.callbacksLeft
          : words.of(count(done.processedCount), count(total))}
      </Text>
    </>
  );
}

function Rate({ label, value }: { label: string; value: string }) {
  return (
    <div role="cell" className={classes.rate}>
      <Text size="xs" c="dimmed" hiddenFrom="md" aria-hidden>
        {label}
      </Text>
      <Text size="sm">{value}</Text>
    </div>
  );
}

/** Nobody answers a message. */
function answered({ stats }: CampaignRow): string {
  return "total_calls" in stats ? share(answerRate(stats)) : texts.shared.none;
}

function completed({ stats }: CampaignRow): string {
  if ("total_calls" in stats) return share(completionRate(stats));
  return stats.total
    ? percent(buildCampaignProgressSummary(stats).processedPercent)
    : texts.shared.none;
}
