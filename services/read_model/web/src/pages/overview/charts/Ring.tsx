import "@mantine/charts/styles.css";
import { DonutChart, type DonutChartCell } from "@mantine/charts";

const SIZE = 176;

/** A ring of parts, without words: the legend has them. */
export default function Ring({ parts }: { parts: DonutChartCell[] }) {
  // The page grows with the font of wall screens; a chart is drawn in pixels.
  const grown = Number.parseFloat(getComputedStyle(document.documentElement).fontSize) / 16;
  return (
    <DonutChart
      data={parts}
      size={SIZE * grown}
      thickness={22 * grown}
      paddingAngle={parts.length > 1 ? 2 : 0}
      strokeWidth={0}
      withTooltip={false}
      pieProps={{ isAnimationActive: false, rootTabIndex: -1 }}
    />
  );
}
