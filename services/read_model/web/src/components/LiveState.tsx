import { Group, Text } from "@mantine/core";
import type { Liveness } from "@/api/useLive";
import { texts } from "@/texts";
import { time } from "@/texts/format";
import classes from "./LiveState.module.css";

/** Whether the page moves by itself, and of when its numbers are. */
export function LiveState({ liveness }: { liveness: Liveness }) {
  const { state, asOf } = liveness;
  const said = {
    live: texts.shared.live,
    connecting: texts.shared.connecting,
    lost: texts.shared.lost,
  };
  return (
    <Group gap={10} wrap="nowrap" className={classes.live} data-state={state}>
      <span className={classes.dot} aria-hidden />
      <Text size="sm" fw={600} role="status">
        {said[state]}
      </Text>
      {asOf && (
        <Text size="sm" c="dimmed">
          <time dateTime={asOf.toISOString()}>{texts.shared.asOf(time(asOf))}</time>
        </Text>
      )}
    </Group>
  );
}
