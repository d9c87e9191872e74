import { count, percent } from "@/texts/format";
import classes from "./Shares.module.css";

export interface Part {
  label: string;
  value: number;
  /** A colour of the theme; null for what has not begun. */
  color: string | null;
}

interface Parts {
  parts: readonly Part[];
  label: string;
}

/** What a whole is made of, as one bar; say beside it what its colours mean. */
export function ShareBar({ parts }: Pick<Parts, "parts">) {
  return (
    <div className={classes.bar} aria-hidden>
      {parts
        .filter((part) => part.value > 0)
        .map((part) => (
          <span
            key={part.label}
            style={{ flexGrow: part.value, background: colorOf(part) }}
            title={`${part.label}: ${count(part.value)}`}
          />
        ))}
    </div>
  );
}

/** What each colour of a bar means, and how much of it there is. */
export function Legend({ parts, label }: Parts) {
  const whole = parts.reduce((sum, part) => sum + part.value, 0);
  return (
    <ul aria-label={label} className={classes.legend}>
      {parts.map((part) => (
        <li key={part.label}>
          <span aria-hidden className={classes.mark} style={{ background: colorOf(part) }} />
          <span className={classes.name}>{part.label}</span>
          <strong>{count(part.value)}</strong>
          <span className={classes.percent}>
            {whole > 0 ? percent((part.value * 100) / whole) : ""}
          </span>
        </li>
      ))}
    </ul>
  );
}

function colorOf({ color }: Part): string {
  return color === null ? "var(--track)" : `var(--mantine-color-${color}-5)`;
}
