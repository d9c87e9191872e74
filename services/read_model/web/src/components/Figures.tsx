import { Text } from "@mantine/core";
import type { ReactNode } from "react";
import classes from "./Figures.module.css";

export interface Figure {
  label: string;
  value: ReactNode;
  hint?: ReactNode;
  /** A colour of the theme, as a mark beside the label. */
  color?: string;
}

/** Numbers that matter, side by side. */
export function Figures({ figures, label }: { figures: readonly Figure[]; label: string }) {
  return (
    <ul aria-label={label} className={classes.figures}>
      {figures.map(({ label: name, value, hint, color }) => (
        <li key={name} className={classes.figure}>
          <Text component="span" size="xs" c="dimmed" fw={500} className={classes.label}>
            {color && (
              <span
                aria-hidden
                className={classes.mark}
                style={{ background: `var(--mantine-color-${color}-5)` }}
              />
            )}
            {name}
          </Text>
          <span className={classes.value}>{value}</span>
          {hint && (
            <Text component="span" size="xs" c="dimmed">
              {hint}
            </Text>
          )}
        </li>
      ))}
    </ul>
  );
}
