import { Avatar, Text } from "@mantine/core";
import { IconUsers } from "@tabler/icons-react";
import type { TopAuthor } from "@/api/types";
import { Panel } from "@/components/Panel";
import { Empty } from "@/components/States";
import { texts } from "@/texts";
import classes from "./Overview.module.css";

/** Who has created the most campaigns lately. */
export function Authors({ authors }: { authors: readonly TopAuthor[] }) {
  const { authors: words } = texts.overview;
  const most = Math.max(1, ...authors.map((one) => one.campaigns));
  return (
    <Panel title={words.title} className={classes.authors}>
      {authors.length === 0 ? (
        <Empty title={words.nothing} icon={<IconUsers aria-hidden />} />
      ) : (
        <ol className={classes.ranked}>
          {authors.map(({ author, campaigns }) => (
            <li key={author.id} className={classes.author}>
              <Avatar
                name={author.name}
                size={32}
                radius="xl"
                color="teal"
                variant="filled"
                aria-hidden
              />
              <Text size="sm" fw={550} truncate>
                {author.name}
              </Text>
              <Text size="sm" c="dimmed">
                {words.campaigns(campaigns)}
              </Text>
              <span className={classes.thin} aria-hidden>
                <span style={{ width: `${(campaigns / most) * 100}%` }} />
              </span>
            </li>
          ))}
        </ol>
      )}
    </Panel>
  );
}
