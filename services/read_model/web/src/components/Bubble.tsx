import { Text } from "@mantine/core";
import { useId } from "react";
import classes from "./Bubble.module.css";

interface Parts {
  title: string;
  /** Who it comes from. */
  from?: string;
  /** The message as it arrives; null when there is none. */
  text: string | null;
  empty: string;
}

/** A message as its reader sees it. */
export function Bubble({ title, from, text, empty }: Parts) {
  const id = useId();
  return (
    <section aria-labelledby={id} className={classes.phone}>
      <Text id={id} size="xs" fw={600} c="dimmed">
        {title}
      </Text>
      {from && (
        <Text size="sm" fw={650} ta="center">
          {from}
        </Text>
      )}
      {text === null ? (
        <Text size="sm" c="dimmed">
          {empty}
        </Text>
      ) : (
        <p className={classes.bubble}>{text}</p>
      )}
    </section>
  );
}
