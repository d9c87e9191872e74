import "@mantine/charts/styles.css";
import { Sparkline } from "@mantine/charts";
import { useReducedMotion } from "@mantine/hooks";

/** A line of what came lately. */
export default function Spark({ readings }: { readings: readonly number[] }) {
  const calm = useReducedMotion();
  return (
    <Sparkline
      h={56}
      data={[...readings]}
      curveType="monotone"
      color="green.6"
      fillOpacity={0.25}
      strokeWidth={2}
      areaProps={{ isAnimationActive: !calm && false }}
    />
  );
}
