import { Badge, Stack } from "@mantine/core";
import type { VoiceCampaign } from "@/api/types";
import { type Figure, Figures } from "@/components/Figures";
import { Panel } from "@/components/Panel";
import { Legend } from "@/components/Shares";
import { tint } from "@/components/tint";
import { answerRate, completionRate } from "@/pages/campaignProgress";
import { texts } from "@/texts";
import { duration } from "@/texts/duration";
import { count, share } from "@/texts/format";
import { ProgressBar } from "./ProgressBar";
import { callParts } from "./parts";

const { detail } = texts;
const names = detail.figures;
const STATE_COLORS = { live: "green", idle: "gray", outside_window: "amber" } as const;

/** What a voice campaign does just now, and how far it is. */
export function LiveActivity({ campaign }: { campaign: VoiceCampaign }) {
  const { live, stats } = campaign;
  const parts = callParts(stats);
  return (
    <Panel
      title={live ? detail.live : detail.progress}
      aside={
        live && (
          <Badge style={tint(STATE_COLORS[live.state])}>{detail.liveStates[live.state]}</Badge>
        )
      }
    >
      <Stack gap="lg">
        {live && <Figures label={detail.live} figures={livingFigures(campaign, live)} />}
        <ProgressBar campaign={campaign} parts={parts} />
        <Legend label={detail.outcomes} parts={parts} />
        <Figures
          label={detail.progress}
          figures={[
            { label: names.total, value: count(stats.total_calls) },
            { label: names.attempts, value: count(stats.attempts) },
            { label: names.connected, value: count(stats.connected) },
            { label: names.answerRate, value: share(answerRate(stats)) },
            { label: names.completion, value: share(completionRate(stats)) },
          ]}
        />
      </Stack>
    </Panel>
  );
}

function livingFigures(
  campaign: VoiceCampaign,
  live: NonNullable<VoiceCampaign["live"]>,
): Figure[] {
  return [
    { label: names.ringing, value: count(live.ringing) },
    {
      label: names.inProgress,
      value: count(live.in_progress),
      hint: names.seats(count(campaign.concurrency_limit)),
    },
    { label: names.dials, value: live.dials_per_s.toFixed(1) },
    { label: names.connectedPerHour, value: count(live.connected_per_h) },
    { label: names.ring, value: live.avg_ring_s === null ? "–" : duration(live.avg_ring_s) },
    {
      label: names.lastDial,
      value: live.last_dial_at ? names.ago(duration(ageOf(live.last_dial_at))) : texts.shared.never,
    },
    { label: names.pending, value: count(live.pending) },
    { label: names.retries, value: count(live.retries_queued) },
    { label: names.eta, value: live.eta_s === null ? "–" : duration(live.eta_s) },
  ];
}

const ageOf = (moment: string) => Math.round((Date.now() - Date.parse(moment)) / 1000);
