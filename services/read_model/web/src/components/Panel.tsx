import { Group, Paper, Title } from "@mantine/core";
import { type ReactNode, useId } from "react";
import classes from "./Panel.module.css";

interface Parts {
  title?: ReactNode;
  /** At the other end of the title. */
  aside?: ReactNode;
  /** Without a margin inside, for tables. */
  flush?: boolean;
  className?: string;
  children: ReactNode;
}

/** A card with a title of its own, which names it as a region. */
export function Panel({ title, aside, flush = false, className = "", children }: Parts) {
  const id = useId();
  return (
    <Paper
      component="section"
      aria-labelledby={title ? id : undefined}
      className={`${classes.panel} ${flush ? classes.flush : ""} ${className}`}
    >
      {(title || aside) && (
        <Group justify="space-between" gap="sm" className={classes.head}>
          {title && (
            <Title order={2} id={id}>
              {title}
            </Title>
          )}
          {aside}
        </Group>
      )}
      {children}
    </Paper>
  );
}
