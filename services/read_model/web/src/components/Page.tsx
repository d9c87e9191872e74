import { Group, Title } from "@mantine/core";
import { type ReactNode, useEffect } from "react";
import { texts } from "@/texts";
import classes from "./Page.module.css";

interface Parts {
  /** In the heading, and in the browser's tab. */
  title: string;
  /** Beside the heading: a badge, how live the page is. */
  beside?: ReactNode;
  /** At the other end of the heading: what can be done here. */
  actions?: ReactNode;
  children: ReactNode;
}

/** A page of the dashboard: its heading, and what is below. */
export function Page({ title, beside, actions, children }: Parts) {
  useEffect(() => {
    document.title = `${title} · ${texts.shared.product}`;
  }, [title]);
  return (
    <div className={classes.page}>
      <Group justify="space-between" gap="md" mb="lg">
        <Group gap="md">
          <Title order={1}>{title}</Title>
          {beside}
        </Group>
        {actions && <Group gap="sm">{actions}</Group>}
      </Group>
      {children}
    </div>
  );
}
