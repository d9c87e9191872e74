import { Badge, Table, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { linksQuery } from "@/api/names";
import type { Link } from "@/api/types";
import { Panel } from "@/components/Panel";
import { RowsLoading } from "@/components/RowsLoading";
import { Empty, Failure } from "@/components/States";
import { TableRegion } from "@/components/TableRegion";
import { tint } from "@/components/tint";
import { texts } from "@/texts";
import { count, dateTime, share } from "@/texts/format";

const { diagnostics } = texts;
const EVERY_MS = 5_000;

/** What is told of a link's health, besides what the document promises; admins are told more. */
type Healthy = Link &
  Partial<{
    sessions_up: number;
    sessions: number;
    window: number;
    window_used: number;
    allowed_segments_per_second: number;
    throttled_share: number;
    reconnects: number;
    unmatched_reports: number;
    undecided_messages: number;
    last_error: string | null;
    last_error_at: string | null;
  }>;

/** The carrier links, and how they do. */
export function Links() {
  const {
    data: links,
    error,
    isPending,
    refetch,
  } = useQuery({
    ...linksQuery,
    refetchInterval: EVERY_MS,
  });
  return (
    <Panel flush title={diagnostics.links}>
      {error ? (
        <Failure error={error} retry={refetch} />
      ) : isPending ? (
        <RowsLoading rows={2} />
      ) : links.items.length === 0 ? (
        <Empty title={diagnostics.noLinks} />
      ) : (
        <TableRegion label={diagnostics.links}>
          <LinkTable links={links.items} />
        </TableRegion>
      )}
    </Panel>
  );
}

function LinkTable({ links }: { links: readonly Healthy[] }) {
  return (
    <Table>
      <Table.Thead>
        <Table.Tr>
          <Table.Th>{diagnostics.link}</Table.Th>
          <Table.Th>{diagnostics.state}</Table.Th>
          <Table.Th ta="end">{diagnostics.sessions}</Table.Th>
          <Table.Th ta="end">{diagnostics.window}</Table.Th>
          <Table.Th ta="end">{diagnostics.rate}</Table.Th>
          <Table.Th ta="end">{diagnostics.throttled}</Table.Th>
          <Table.Th ta="end">{diagnostics.reconnects}</Table.Th>
          <Table.Th ta="end">{diagnostics.unmatched}</Table.Th>
          <Table.Th ta="end">{diagnostics.undecided}</Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {links.map((link) => (
          <LinkRow key={link.id} link={link} />
        ))}
      </Table.Tbody>
    </Table>
  );
}

function LinkRow({ link }: { link: Healthy }) {
  const allowed = link.allowed_segments_per_second;
  const isSlowed = allowed !== undefined && allowed < link.segments_per_second;
  return (
    <Table.Tr>
      <Table.Td>
        <Text size="sm" fw={600}>
          {link.name}
        </Text>
        <Text size="xs" c="dimmed" ff="monospace">
          {link.id}
        </Text>
        {link.last_error && (
          <Text size="xs" c="dimmed">
            {diagnostics.lastError}: {link.last_error}, {dateTime(link.last_error_at ?? null)}
          </Text>
        )}
      </Table.Td>
      <Table.Td>
        <Badge style={tint(link.state === "up" ? "green" : "red")}>{diagnostics[link.state]}</Badge>
      </Table.Td>
      <Table.Td ta="end">{pair(link.sessions_up, link.sessions)}</Table.Td>
      <Table.Td ta="end" style={{ whiteSpace: "nowrap" }}>
        {pair(link.window_used, link.window)}
      </Table.Td>
      <Table.Td ta="end">
        {isSlowed ? pair(allowed, link.segments_per_second) : count(link.segments_per_second)}
      </Table.Td>
      <Table.Td ta="end">{share(link.throttled_share ?? null)}</Table.Td>
      <Table.Td ta="end">{known(link.reconnects)}</Table.Td>
      <Table.Td ta="end">{known(link.unmatched_reports)}</Table.Td>
      <Table.Td ta="end">{known(link.undecided_messages)}</Table.Td>
    </Table.Tr>
  );
}

const known = (value: number | undefined) => (value === undefined ? "–" : count(value));
const pair = (part: number | undefined, whole: number | undefined) =>
  `${known(part)} / ${known(whole)}`;
