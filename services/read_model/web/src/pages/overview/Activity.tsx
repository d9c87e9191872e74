import { Anchor, Group, ScrollArea, Table, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { type CSSProperties, lazy, Suspense, useState } from "react";
import { api, data } from "@/api/client";
import type { Channel, Hour } from "@/api/types";
import { ChannelChoice } from "@/components/ChannelChoice";
import { Panel } from "@/components/Panel";
import { Failure } from "@/components/States";
import { texts } from "@/texts";
import { count, dateTime } from "@/texts/format";
import classes from "./Overview.module.css";

const Bars = lazy(() => import("./charts/Bars"));

const AGAIN_MS = 15_000;

/** Messages sent and failed, hour by hour, which are told live; or calls, which are asked for. */
export function Activity({ messages }: { messages: readonly Hour[] }) {
  const [channel, setChannel] = useState<Channel>("sms");
  const calling = useQuery({
    queryKey: ["overview", "activity", "voice"],
    queryFn: () =>
      data(api.GET("/api/v1/overview/activity", { params: { query: { channel: "voice" } } })),
    enabled: channel === "voice",
    refetchInterval: AGAIN_MS,
  });
  const hours = channel === "sms" ? messages : (calling.data?.items ?? []);
  const [asTable, table] = useDisclosure();
  const words = texts.overview.activity[channel];
  const sent = hours.reduce((sum, one) => sum + one.sent, 0);
  const failed = hours.reduce((sum, one) => sum + one.failed, 0);
  return (
    <Panel
      title={texts.overview.activity.title}
      className={classes.wide}
      aside={
        <Group gap="lg">
          <Sum color="blue" name={words.sent} value={sent} />
          <Sum color="red" name={words.failed} value={failed} />
          <ChannelChoice
            label={texts.overview.activity.channel}
            value={channel}
            onChange={setChannel}
          />
        </Group>
      }
    >
      {channel === "voice" && calling.error ? (
        <Failure error={calling.error} retry={calling.refetch} />
      ) : asTable ? (
        <HoursTable hours={hours} channel={channel} />
      ) : (
        <div
          className={classes.chart}
          role="img"
          aria-label={words.chart(count(sent), count(failed))}
          data-testid="activity"
        >
          <Suspense>
            <Bars hours={hours} channel={channel} />
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
        {texts.overview.activity.table}
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

function HoursTable({ hours, channel }: { hours: readonly Hour[]; channel: Channel }) {
  const words = texts.overview.activity[channel];
  return (
    <ScrollArea h={260} viewportProps={{ tabIndex: 0 }}>
      <Table stickyHeader verticalSpacing={4}>
        <Table.Caption>{words.caption}</Table.Caption>
        <Table.Thead>
          <Table.Tr>
            <Table.Th scope="col">{texts.overview.activity.hour}</Table.Th>
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
