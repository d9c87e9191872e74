import { Stack } from "@mantine/core";
import type { SmsCampaign } from "@/api/types";
import { Figures } from "@/components/Figures";
import { Panel } from "@/components/Panel";
import { Legend } from "@/components/Shares";
import { texts } from "@/texts";
import { count, share } from "@/texts/format";
import { ProgressBar } from "./ProgressBar";
import { messageParts } from "./parts";

const { detail } = texts;
const names = detail.figures;

/** How far an SMS campaign is, and what became of its messages. */
export function Delivery({ campaign }: { campaign: SmsCampaign }) {
  const { stats } = campaign;
  const parts = messageParts(stats);
  const ended = stats.delivered + stats.failed;
  return (
    <Panel title={detail.delivery}>
      <Stack gap="lg">
        <ProgressBar campaign={campaign} parts={parts} />
        <Legend label={detail.messagesByState} parts={parts} />
        <Figures
          label={detail.delivery}
          figures={[
            { label: names.messages, value: count(stats.total) },
            { label: names.segments, value: count(stats.segments) },
            {
              label: names.deliveryRate,
              value: share(ended > 0 ? stats.delivered / ended : null),
              hint: names.deliveryRateHint,
            },
          ]}
        />
      </Stack>
    </Panel>
  );
}
