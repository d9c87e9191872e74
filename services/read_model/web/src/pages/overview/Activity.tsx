import { Anchor, Group, ScrollArea, Table, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { type CSSProperties, lazy, Suspense } from "react";
import type { Hour } from "@/api/types";
import { Panel } from "@/components/Panel";
import { texts } from "@/texts";
import { count, dateTime } from "@/utils/format";
import classes from "./Overview.module.css";

const Bars = lazy(() => import("./charts/Bars"));

/** Messages sent and failed, hour by hour. */
export function Activity({ hours }: { hours: readonly Hour[] }) {
  const { activity: words } = texts.overview;
  const [asTable, table] = useDisclosure();
  const sent = hours.reduce((sum, one) => sum + one.sent, 0);
  const failed = hours.reduce((sum, one) => sum + one.failed, 0);
  return (
    <Panel
      title={words.title}
      className={classes.wide}
      aside={
        <Group gap="lg">
          <Sum color="blue" name={words.sent} value={sent} />
          <Sum color="red" name={words.failed} value={failed} />
        </Group>
      }
    >
      {asTable ? (
        <HoursTable hours={hours} />
      ) : (
        <div
          className={classes.chart}
          role="img"
          aria-label={words.chart(count(sent), count(failed))}
          data-testid="activity"
        >
          <Suspense>
            <Bars hours={hours} />
          </Suspense>
        </div>
      )}
      <Anchor
        component="button"
        type="button"
        size="xs"
        mt="xs"
        onClick={table.toggle}
        aria-pressed={asTable}
      >
        {words.table}
      </Anchor>
    </Panel>
  );
}

function Sum({ color, name, value }: { color: string; name: string; value: number }) {
  const key = { "--key": `var(--mantine-color-${color}-5)` } as CSSProperties;
  return (
    <Group gap={8} wrap="nowrap">
      <span className={classes.key} style={key} aria-hidden />
      <Text size="sm" c="dimmed">
        {name}
      </Text>
      <Text size="sm" fw={650}>
        {count(value)}
      </Text>
    </Group>
  );
}

function HoursTable({ hours }: { hours: readonly Hour[] }) {
  const { activity: words } = texts.overview;
  return (
    <ScrollArea h={260} viewportProps={{ tabIndex: 0 }}>
      <Table stickyHeader verticalSpacing={4}>
        <Table.Caption>{words.caption}</Table.Caption>
        <Table.Thead>
          <Table.Tr>
            <Table.Th scope="col">{words.hour}</Table.Th>
            <Table.Th scope="col" ta="right">
              {words.sent}
            </Table.Th>
            <Table.Th scope="col" ta="right">
              {words.failed}
            </Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {hours.map((one) => (
            <Table.Tr key={one.hour}>
              <Table.Td>{dateTime(one.hour)}</Table.Td>
              <Table.Td ta="right">{count(one.sent)}</Table.Td>
              <Table.Td ta="right">{count(one.failed)}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </ScrollArea>
  );
}
