import { Group, Text } from "@mantine/core";
import { IconAlertTriangle, IconBolt, IconCircleCheck, IconStack2 } from "@tabler/icons-react";
import type { CSSProperties } from "react";
import type { Kpi } from "@/api/types";
import { texts } from "@/texts";
import { count } from "@/texts/format";
import classes from "./Overview.module.css";

const { kpi: words } = texts.overview;
const TILES = [
  { name: "total", label: words.total, hint: words.totalHint, icon: IconStack2, color: "violet" },
  { name: "active", label: words.active, hint: words.activeHint, icon: IconBolt, color: "blue" },
  {
    name: "completed",
    label: words.completed,
    hint: words.completedHint,
    icon: IconCircleCheck,
    color: "green",
  },
  {
    name: "failed",
    label: words.failed,
    hint: words.failedHint,
    icon: IconAlertTriangle,
    color: "red",
  },
] as const;

/** The four numbers that tell how the workspace does. */
export function KpiTiles({ kpi }: { kpi: Kpi }) {
  return (
    <section className={classes.tiles} aria-label={words.region}>
      {TILES.map(({ name, label, hint, icon: Icon, color }) => {
        const accent = `light-dark(var(--mantine-color-${color}-6), var(--mantine-color-${color}-4))`;
        return (
          <div
            key={name}
            className={classes.tile}
            style={{ "--accent": accent } as CSSProperties}
            data-testid={`kpi-${name}`}
          >
            <Group justify="space-between" wrap="nowrap" align="flex-start">
              <Text component="h2" size="sm" fw={550} c="dimmed">
                {label}
              </Text>
              <Icon size={20} className={classes.tileIcon} aria-hidden />
            </Group>
            <p className={classes.figure} style={{ margin: 0 }}>
              {count(kpi[name])}
            </p>
            <Text size="xs" c="dimmed" visibleFrom="xs">
              {hint}
            </Text>
          </div>
        );
      })}
    </section>
  );
}
