import { Group, Text, Timeline } from "@mantine/core";
import { api, data } from "@/api/client";
import type { Campaign, Happening, Status } from "@/api/types";
import { usePages } from "@/api/usePages";
import { Pager } from "@/components/Pager";
import { Panel } from "@/components/Panel";
import { RowsLoading } from "@/components/RowsLoading";
import { Empty, Failure } from "@/components/States";
import { StatusBadge } from "@/components/StatusBadge";
import { texts } from "@/texts";
import { count, dateTime } from "@/texts/format";

const { detail } = texts;

/** What happened to a campaign, the newest first. */
export function Activity({ campaign }: { campaign: Campaign }) {
  const pages = usePages({
    // Another status or other contacts mean that something has happened.
    key: ["campaign", campaign.id, "activity", campaign.status, campaign.contacts],
    read: (cursor) =>
      data(
        api.GET("/api/v1/campaigns/{campaign_id}/activity", {
          params: {
            path: { campaign_id: campaign.id },
            query: { limit: 50, cursor: cursor ?? null },
          },
        }),
      ),
  });
  return (
    <Panel title={detail.tabs.activity}>
      {pages.error ? (
        <Failure error={pages.error} retry={pages.refetch} />
      ) : pages.isPending ? (
        <RowsLoading rows={4} />
      ) : pages.items.length === 0 ? (
        <Empty title={detail.noActivity} />
      ) : (
        <>
          <Timeline bulletSize={14} lineWidth={2} role="list" aria-label={detail.tabs.activity}>
            {pages.items.map((happening) => (
              <Timeline.Item
                key={happening.id}
                role="listitem"
                title={
                  <Group gap="xs" component="span">
                    <span>{detail.happenings[happening.action] ?? happening.action}</span>
                    {happening.status && <StatusBadge status={happening.status as Status} />}
                  </Group>
                }
              >
                <Text size="sm" c="dimmed">
                  {happening.actor?.name ?? detail.bySystem} ·{" "}
                  <time dateTime={happening.at}>{dateTime(happening.at)}</time>
                </Text>
                <Text size="sm">{detailsOf(happening)}</Text>
              </Timeline.Item>
            ))}
          </Timeline>
          <Pager pages={pages} />
        </>
      )}
    </Panel>
  );
}

/** What is told besides: counts after their numbers, all else behind its name. */
function detailsOf({ details }: Happening): string {
  return Object.entries(details)
    .map(([name, value]) => {
      const label = detail.details[name] ?? name;
      if (name === "run") return `${label} ${String(value)}`;
      if (typeof value === "number") return `${count(value)} ${label}`;
      if (name === "until") return `${label} ${dateTime(String(value))}`;
      if (name === "cloned_from") return `${label} …${String(value).slice(-8)}`;
      return `“${String(value)}”`;
    })
    .join(", ");
}
