import { Anchor, Badge, Text } from "@mantine/core";
import { IconArrowDownRight } from "@tabler/icons-react";
import { type CSSProperties, useState } from "react";
import { Link } from "react-router";
import type { Channel, Funnel, Status } from "@/api/types";
import { ChannelChoice } from "@/components/ChannelChoice";
import { Panel } from "@/components/Panel";
import { STATUS_COLORS } from "@/components/statusColors";
import { tint } from "@/components/tint";
import { texts } from "@/texts";
import { count } from "@/texts/format";
import classes from "./Overview.module.css";

interface Shape {
  steps: readonly Status[];
  /** Where somebody stands still beside a step. */
  paused: Status;
  exits: readonly Status[];
}

const SHAPES: Record<Channel, Shape> = {
  sms: {
    steps: ["new", "building", "pending", "sending", "done"],
    paused: "sending",
    exits: ["failed", "cancelled", "expired"],
  },
  voice: { steps: ["draft", "running", "completed"], paused: "running", exits: ["failed"] },
};

/** How many campaigns are in each stage of their lives. */
export function FunnelPanel({ funnel }: { funnel: Funnel }) {
  const [channel, setChannel] = useState<Channel>("sms");
  const { funnel: words } = texts.overview;
  const counts: Partial<Record<Status, number>> = channel === "sms" ? funnel : funnel.voice;
  const { steps, paused, exits } = SHAPES[channel];
  const most = Math.max(1, ...steps.map((step) => counts[step] ?? 0));
  return (
    <Panel
      title={words.title}
      className={classes.third}
      aside={<ChannelChoice label={words.channel} value={channel} onChange={setChannel} />}
    >
      <ol className={classes.steps} aria-label={words.steps}>
        {steps.map((step) => (
          <li key={step} className={classes.step} data-testid={`funnel-${step}`}>
            <Text size="sm">{texts.shared.statuses[step]}</Text>
            <span className={classes.bar} aria-hidden>
              <span className={classes.fill} style={filled(step, (counts[step] ?? 0) / most)} />
            </span>
            <span className={classes.count}>{count(counts[step] ?? 0)}</span>
            {step === "new" && (
              <Anchor
                component={Link}
                to="/dashboard/moderation"
                className={classes.note}
                underline={funnel.pending_moderation ? "always" : "hover"}
              >
                {words.pendingModeration(count(funnel.pending_moderation))}
              </Anchor>
            )}
            {step === paused && (counts.paused ?? 0) > 0 && (
              <Text className={classes.note} c="dimmed">
                {words.paused(count(counts.paused ?? 0))}
              </Text>
            )}
          </li>
        ))}
      </ol>
      <div className={classes.exits}>
        <Text
          size="xs"
          c="dimmed"
          fw={600}
          style={{ display: "flex", gap: 4, alignItems: "center" }}
        >
          <IconArrowDownRight size={14} aria-hidden /> {words.exits}
        </Text>
        <ul className={classes.exitList}>
          {exits.map((exit) => (
            <li key={exit} data-testid={`funnel-${exit}`}>
              <Badge size="lg" tt="none" style={tint(counts[exit] ? STATUS_COLORS[exit] : "gray")}>
                {texts.shared.statuses[exit]} {count(counts[exit] ?? 0)}
              </Badge>
            </li>
          ))}
        </ul>
      </div>
    </Panel>
  );
}

function filled(status: Status, part: number): CSSProperties {
  return {
    "--key": `var(--mantine-color-${STATUS_COLORS[status]}-5)`,
    width: `${part * 100}%`,
  } as CSSProperties;
}
