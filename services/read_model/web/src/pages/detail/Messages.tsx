import { Badge, Button, NativeSelect, Table, Text } from "@mantine/core";
import { useState } from "react";
import { api, data } from "@/api/client";
import type { Message, SmsCampaign } from "@/api/types";
import { usePages } from "@/api/usePages";
import { Pager } from "@/components/Pager";
import { Panel } from "@/components/Panel";
import { RowsLoading } from "@/components/RowsLoading";
import { Empty, Failure } from "@/components/States";
import { TableRegion } from "@/components/TableRegion";
import { tint } from "@/components/tint";
import { texts } from "@/texts";
import { count, dateTime } from "@/texts/format";
import { MESSAGE_COLORS, MESSAGE_STATUSES } from "./parts";

const { detail, calling } = texts;
const EVERY_MS = 3_000;
const ACTIVE: readonly SmsCampaign["status"][] = ["building", "sending", "paused"];

/** What became of each message, in the order of the audience. */
export function Messages({ campaign }: { campaign: SmsCampaign }) {
  const [status, setStatus] = useState<Message["status"] | "">("");
  const pages = usePages({
    key: ["campaign", campaign.id, "messages", status],
    read: (cursor) =>
      data(
        api.GET("/api/v1/campaigns/{campaign_id}/messages", {
          params: {
            path: { campaign_id: campaign.id },
            query: { status: status || null, limit: 50, cursor: cursor ? Number(cursor) : null },
          },
        }),
      ),
    everyMs: ACTIVE.includes(campaign.status) ? EVERY_MS : false,
  });
  return (
    <Panel
      flush
      title={detail.tabs.messages}
      aside={
        <NativeSelect
          size="xs"
          aria-label={detail.filterStatus}
          value={status}
          onChange={(event) => setStatus(event.currentTarget.value as Message["status"] | "")}
          data={[
            { value: "", label: detail.allStatuses },
            ...MESSAGE_STATUSES.map((one) => ({ value: one, label: calling.messageStatuses[one] })),
          ]}
        />
      }
    >
      {pages.error ? (
        <Failure error={pages.error} retry={pages.refetch} />
      ) : pages.isPending ? (
        <RowsLoading />
      ) : pages.items.length === 0 ? (
        <NoMessages campaign={campaign} filtered={status !== ""} showAll={() => setStatus("")} />
      ) : (
        <>
          <TableRegion label={detail.tabs.messages}>
            <MessageTable messages={pages.items} />
          </TableRegion>
          <Pager pages={pages} />
        </>
      )}
    </Panel>
  );
}

function MessageTable({ messages }: { messages: readonly Message[] }) {
  const names = detail.columns;
  return (
    <Table highlightOnHover>
      <Table.Thead>
        <Table.Tr>
          <Table.Th ta="end">{names.number}</Table.Th>
          <Table.Th>{names.phone}</Table.Th>
          <Table.Th>{names.status}</Table.Th>
          <Table.Th>{names.reason}</Table.Th>
          <Table.Th ta="end">{names.segments}</Table.Th>
          <Table.Th>{names.submitted}</Table.Th>
          <Table.Th>{names.reported}</Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {messages.map((message) => (
          <Table.Tr key={message.number}>
            <Table.Td ta="end" c="dimmed">
              {count(message.number)}
            </Table.Td>
            <Table.Td style={{ whiteSpace: "nowrap" }}>{message.phone ?? <Erased />}</Table.Td>
            <Table.Td>
              <Badge style={tint(MESSAGE_COLORS[message.status])}>
                {calling.messageStatuses[message.status]}
              </Badge>
            </Table.Td>
            <Table.Td>{message.reason ?? "–"}</Table.Td>
            <Table.Td ta="end">{count(message.segments)}</Table.Td>
            <Table.Td style={{ whiteSpace: "nowrap" }}>{dateTime(message.submitted_at)}</Table.Td>
            <Table.Td style={{ whiteSpace: "nowrap" }}>{dateTime(message.reported_at)}</Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}

/** In place of a phone whose person was erased. */
export function Erased() {
  return (
    <Text span size="sm" c="dimmed" fs="italic">
      {detail.erased}
    </Text>
  );
}

interface None {
  campaign: SmsCampaign;
  filtered: boolean;
  showAll: () => void;
}

function NoMessages({ campaign, filtered, showAll }: None) {
  if (filtered) return <NothingMatches showAll={showAll} />;
  const isTrigger = campaign.mode === "trigger";
  return (
    <Empty title={detail.noMessages}>
      {isTrigger ? detail.noMessagesTrigger : detail.noMessagesText}
    </Empty>
  );
}

/** In place of a list that its filter has emptied. */
export function NothingMatches({ showAll }: { showAll: () => void }) {
  return (
    <Empty title={detail.nothingMatches}>
      {detail.nothingMatchesText}
      <br />
      <Button mt="sm" size="xs" variant="default" onClick={showAll}>
        {detail.clearFilter}
      </Button>
    </Empty>
  );
}
