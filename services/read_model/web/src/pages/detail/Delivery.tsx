import { Stack } from "@mantine/core";
import type { SmsCampaign } from "@/api/types";
import { Figures } from "@/components/Figures";
import { Panel } from "@/components/Panel";
import { Shares } from "@/components/Shares";
import { texts } from "@/texts";
import { count } from "@/utils/format";
import { ProgressBar } from "./ProgressBar";
import { messageParts } from "./parts";

const { detail } = texts;
const names = detail.figures;

/** How far an SMS campaign is, and what became of its messages. */
export function Delivery({ campaign }: { campaign: SmsCampaign }) {
  const { stats } = campaign;
  return (
    <Panel title={detail.delivery}>
      <Stack gap="lg">
        <ProgressBar campaign={campaign} />
        <Figures
          label={detail.delivery}
          figures={[
            { label: names.messages, value: count(stats.total) },
            { label: names.delivered, value: count(stats.delivered), color: "green" },
            {
              label: names.inFlight,
              value: count(stats.submitting + stats.submitted),
              color: "blue",
            },
            { label: names.failed, value: count(stats.failed), color: "red" },
            { label: names.segments, value: count(stats.segments) },
          ]}
        />
        <Shares label={detail.messagesByState} parts={messageParts(stats)} />
      </Stack>
    </Panel>
  );
}
