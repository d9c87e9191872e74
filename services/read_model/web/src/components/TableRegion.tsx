import type { ReactNode } from "react";
import classes from "./TableRegion.module.css";

interface Parts {
  /** What the table shows; for who can not see it. */
  label: string;
  children: ReactNode;
}

/** Around a table: it scrolls sideways when it has to, by keyboard too. */
export function TableRegion({ label, children }: Parts) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
    <div role="group" aria-label={label} tabIndex={0} className={classes.region}>
      {children}
    </div>
  );
}
