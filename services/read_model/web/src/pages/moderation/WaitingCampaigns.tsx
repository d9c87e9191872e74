import { Anchor, Badge, Group, Stack, Text, Title } from "@mantine/core";
import { Link } from "react-router";
import { api, data } from "@/api/client";
import type { WaitingCampaign } from "@/api/types";
import { usePages } from "@/api/usePages";
import { useWhyNotDecide } from "@/api/useWhyNotDecide";
import { Bubble } from "@/components/Bubble";
import { DecisionButtons, type Verdict, WhyNot } from "@/components/DecisionButtons";
import { type Fact, Facts } from "@/components/Facts";
import { Pager } from "@/components/Pager";
import { Panel } from "@/components/Panel";
import { RowsLoading } from "@/components/RowsLoading";
import { Empty, Failure } from "@/components/States";
import { tint } from "@/components/tint";
import { texts } from "@/texts";
import { count, dateTime, relative } from "@/texts/format";
import classes from "./Waiting.module.css";

const { moderation, calling } = texts;
const EVERY_MS = 5_000;
const AT_ONCE = 20;

/** The campaigns that somebody has to look at, the oldest first. */
export function WaitingCampaigns() {
  const whyNot = useWhyNotDecide();
  const pages = usePages({
    key: ["moderation", "campaigns"],
    read: (cursor) =>
      data(
        api.GET("/api/v1/moderation/campaigns", {
          params: { query: { limit: AT_ONCE, cursor: cursor ?? null } },
        }),
      ),
    everyMs: EVERY_MS,
  });
  if (pages.error) return <Failure error={pages.error} retry={pages.refetch} />;
  if (pages.isPending) return <RowsLoading />;
  if (pages.items.length === 0) {
    return (
      <Panel>
        <Empty title={moderation.noCampaigns}>{moderation.noCampaignsText}</Empty>
      </Panel>
    );
  }
  return (
    <Stack gap="md">
      {pages.items.map((campaign) => (
        <Waiting key={campaign.id} campaign={campaign} reason={whyNot(campaign.author)} />
      ))}
      <Pager pages={pages} />
    </Stack>
  );
}

function Waiting({ campaign, reason }: { campaign: WaitingCampaign; reason: string | null }) {
  const { sender } = campaign;
  return (
    <Panel>
      <article aria-label={campaign.name} className={classes.waiting}>
        <Stack gap="md" miw={0}>
          <div>
            <Group gap="sm">
              <Title order={2} fz="lg">
                <Anchor
                  component={Link}
                  to={`/dashboard/campaigns/${campaign.id}`}
                  inherit
                  c="inherit"
                >
                  {campaign.name}
                </Anchor>
              </Title>
              <Badge style={tint("violet")}>{calling.modes[campaign.mode]}</Badge>
            </Group>
            <Text size="sm" c="dimmed">
              {campaign.author.name} · {relative(campaign.created_at)}
            </Text>
          </div>
          <Facts narrow facts={factsOf(campaign)} />
          <Stack gap={6}>
            <DecisionButtons
              name={campaign.name}
              reason={reason}
              decide={(verdict, note) => decide(campaign.id, verdict, note)}
              keys={["moderation", "campaigns", "campaign", "overview"]}
            />
            <WhyNot reason={reason} />
          </Stack>
        </Stack>
        <Bubble
          title={moderation.sample}
          from={sender.saddr ?? sender.name ?? undefined}
          text={campaign.sample ?? campaign.text}
          empty={moderation.noSample}
        />
      </article>
    </Panel>
  );
}

function factsOf(campaign: WaitingCampaign): Fact[] {
  const { sender } = campaign;
  const appears = sender.saddr && sender.saddr !== sender.name ? ` (${sender.saddr})` : "";
  return [
    { name: moderation.recipients, value: count(campaign.recipients) },
    {
      name: moderation.estimate,
      value: moderation.cost(count(campaign.segments)),
    },
    { name: moderation.sender, value: `${sender.name ?? sender.id}${appears}` },
    { name: moderation.scheduled, value: dateTime(campaign.starts_at) },
    { name: moderation.created, value: dateTime(campaign.created_at) },
    { name: moderation.workspace, value: campaign.workspace },
    { name: moderation.template, value: campaign.text, wide: true },
  ];
}

function decide(id: string, verdict: Verdict, note: string): Promise<unknown> {
  const params = { path: { campaign_id: id } };
  return verdict === "approve"
    ? data(
        api.POST("/api/v1/moderation/campaigns/{campaign_id}/approve", {
          params,
          body: { note: note || null },
        }),
      )
    : data(
        api.POST("/api/v1/moderation/campaigns/{campaign_id}/reject", { params, body: { note } }),
      );
}
