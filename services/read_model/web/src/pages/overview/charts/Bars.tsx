import "@mantine/charts/styles.css";
import { BarChart } from "@mantine/charts";
import type { Channel, Hour } from "@/api/types";
import { texts } from "@/texts";
import { compact, count, hourOf } from "@/texts/format";

/** One bar per hour: what was sent, and on top of it what failed. */
export default function Bars({ hours, channel }: { hours: readonly Hour[]; channel: Channel }) {
  const { sent, failed } = texts.overview.activity[channel];
  return (
    <BarChart
      h="100%"
      type="stacked"
      data={hours.map((one) => ({ hour: hourOf(one.hour), sent: one.sent, failed: one.failed }))}
      dataKey="hour"
      series={[
        { name: "sent", label: sent, color: "blue.5" },
        { name: "failed", label: failed, color: "red.5" },
      ]}
      valueFormatter={count}
      tickLine="none"
      gridAxis="x"
      maxBarWidth={36}
      barProps={{ isAnimationActive: false, radius: 2 }}
      yAxisProps={{ width: 44, tickFormatter: compact, allowDecimals: false }}
      xAxisProps={{ minTickGap: 24, interval: "preserveStartEnd" }}
      barChartProps={{ accessibilityLayer: false }}
    />
  );
}
