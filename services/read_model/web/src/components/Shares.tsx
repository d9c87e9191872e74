import { count, percent } from "@/utils/format";
import classes from "./Shares.module.css";

export interface Part {
  label: string;
  value: number;
  /** A colour of the theme. */
  color: string;
}

/** What a whole is made of: one bar, and what each of its colours means. */
export function Shares({ parts, label }: { parts: readonly Part[]; label: string }) {
  const whole = parts.reduce((sum, part) => sum + part.value, 0);
  return (
    <div className={classes.shares}>
      <div className={classes.bar} aria-hidden>
        {parts
          .filter((part) => part.value > 0)
          .map((part) => (
            <span
              key={part.label}
              style={{
                flexGrow: part.value,
                background: `var(--mantine-color-${part.color}-5)`,
              }}
            />
          ))}
      </div>
      <ul aria-label={label} className={classes.legend}>
        {parts.map((part) => (
          <li key={part.label}>
            <span
              aria-hidden
              className={classes.mark}
              style={{ background: `var(--mantine-color-${part.color}-5)` }}
            />
            <span className={classes.name}>{part.label}</span>
            <strong>{count(part.value)}</strong>
            <span className={classes.percent}>
              {whole > 0 ? percent((part.value * 100) / whole) : ""}
            </span>
          </li>
        ))}
      </ul>
    </div>
  );
}
