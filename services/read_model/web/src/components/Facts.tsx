import type { ReactNode } from "react";
import classes from "./Facts.module.css";

export interface Fact {
  name: string;
  value: ReactNode;
  /** Over the whole width: a text. */
  wide?: boolean;
}

/** What is known about something, name by name. */
export function Facts({ facts, narrow = false }: { facts: readonly Fact[]; narrow?: boolean }) {
  return (
    <dl className={`${classes.facts} ${narrow ? classes.narrow : ""}`}>
      {facts.map(({ name, value, wide }) => (
        <div key={name} className={wide ? classes.wide : undefined}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
