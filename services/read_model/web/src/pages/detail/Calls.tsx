import {
  ActionIcon,
  Badge,
  Checkbox,
  Group,
  NativeSelect,
  Table,
  Text,
  Tooltip,
  VisuallyHidden,
} from "@mantine/core";
import { IconListDetails } from "@tabler/icons-react";
import { useState } from "react";
import { api, data } from "@/api/client";
import type { Call, VoiceCampaign } from "@/api/types";
import { usePages } from "@/api/usePages";
import { Pager } from "@/components/Pager";
import { Panel } from "@/components/Panel";
import { RowsLoading } from "@/components/RowsLoading";
import { Empty, Failure } from "@/components/States";
import { TableRegion } from "@/components/TableRegion";
import { tint } from "@/components/tint";
import { shouldPollCampaignCalls } from "@/pages/campaignProgress";
import { texts } from "@/texts";
import { count, dateTime } from "@/texts/format";
import { Erased, NothingMatches } from "./Messages";
import { CALL_COLORS, CALL_STATUSES } from "./parts";
import { Trail } from "./Trail";

const { detail, calling } = texts;
const EVERY_MS = 3_000;

interface Wanted {
  status: Call["status"] | "";
  callback: boolean;
}
const ALL: Wanted = { status: "", callback: false };

/** The calls of a run; each opens the trail of its attempts. */
export function Calls({ campaign }: { campaign: VoiceCampaign }) {
  const [wanted, setWanted] = useState(ALL);
  const [opened, setOpened] = useState<Call | null>(null);
  const polled = shouldPollCampaignCalls(campaign.status, campaign.stats);
  const pages = usePages({
    key: ["campaign", campaign.id, "calls", campaign.run, wanted],
    read: (cursor) => read(campaign, wanted, cursor),
    everyMs: polled ? EVERY_MS : false,
  });
  return (
    <Panel flush title={detail.tabs.calls} aside={<Filters wanted={wanted} onChange={setWanted} />}>
      {pages.error ? (
        <Failure error={pages.error} retry={pages.refetch} />
      ) : pages.isPending ? (
        <RowsLoading />
      ) : pages.items.length === 0 ? (
        wanted === ALL ? (
          <Empty title={detail.noCalls}>{detail.noCallsText}</Empty>
        ) : (
          <NothingMatches showAll={() => setWanted(ALL)} />
        )
      ) : (
        <>
          <TableRegion label={detail.tabs.calls}>
            <CallTable calls={pages.items} onOpen={setOpened} />
          </TableRegion>
          <Pager pages={pages} />
        </>
      )}
      <Trail
        campaign={campaign.id}
        call={pages.items.find((call) => call.id === opened?.id) ?? opened}
        everyMs={polled ? EVERY_MS : false}
        onClose={() => setOpened(null)}
      />
    </Panel>
  );
}

function read(campaign: VoiceCampaign, { status, callback }: Wanted, cursor: string | undefined) {
  return data(
    api.GET("/api/v1/campaigns/{campaign_id}/calls", {
      params: {
        path: { campaign_id: campaign.id },
        query: {
          status: status || null,
          callback: callback || null,
          run: campaign.run,
          limit: 50,
          cursor: cursor ? Number(cursor) : null,
        },
      },
    }),
  );
}

function Filters({ wanted, onChange }: { wanted: Wanted; onChange: (wanted: Wanted) => void }) {
  return (
    <Group gap="md">
      <Checkbox
        size="xs"
        label={detail.onlyCallbacksFilter}
        checked={wanted.callback}
        onChange={(event) => onChange({ ...wanted, callback: event.currentTarget.checked })}
      />
      <NativeSelect
        size="xs"
        aria-label={detail.filterStatus}
        value={wanted.status}
        onChange={(event) =>
          onChange({ ...wanted, status: event.currentTarget.value as Wanted["status"] })
        }
      >
        <option value="">{detail.allStatuses}</option>
        {(["waiting", "live", "final"] as const).map((group) => (
          <optgroup key={group} label={detail.groups[group]}>
            {CALL_STATUSES[group].map((one) => (
              <option key={one} value={one}>
                {calling.callStatuses[one]}
              </option>
            ))}
          </optgroup>
        ))}
      </NativeSelect>
    </Group>
  );
}

function CallTable({ calls, onOpen }: { calls: readonly Call[]; onOpen: (call: Call) => void }) {
  const names = detail.columns;
  return (
    <Table highlightOnHover>
      <Table.Thead>
        <Table.Tr>
          <Table.Th>{names.phone}</Table.Th>
          <Table.Th>{names.status}</Table.Th>
          <Table.Th ta="end">{names.attempts}</Table.Th>
          <Table.Th>{names.outcome}</Table.Th>
          <Table.Th>{names.disposition}</Table.Th>
          <Table.Th>{names.next}</Table.Th>
          <Table.Th>
            <VisuallyHidden>{names.trail}</VisuallyHidden>
          </Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {calls.map((call) => (
          <Table.Tr key={call.id} onClick={() => onOpen(call)} style={{ cursor: "pointer" }}>
            <Table.Td style={{ whiteSpace: "nowrap" }}>{call.phone ?? <Erased />}</Table.Td>
            <Table.Td>
              <Badge style={tint(CALL_COLORS[call.status])}>
                {calling.callStatuses[call.status]}
              </Badge>
            </Table.Td>
            <Table.Td ta="end">{count(call.attempts)}</Table.Td>
            <Table.Td>{call.outcome ? calling.outcomes[call.outcome] : "–"}</Table.Td>
            <Table.Td>{call.disposition ?? "–"}</Table.Td>
            <Table.Td style={{ whiteSpace: "nowrap" }}>
              {dateTime(call.next_attempt_at)}
              {call.callback && call.next_attempt_at && (
                <Text size="xs" c="dimmed">
                  {calling.kinds.callback}
                </Text>
              )}
            </Table.Td>
            <Table.Td ta="end" py={4}>
              <Tooltip label={detail.trail}>
                <ActionIcon
                  variant="subtle"
                  color="gray"
                  aria-label={detail.openTrail(call.phone ?? detail.erased)}
                  onClick={(event) => {
                    event.stopPropagation();
                    onOpen(call);
                  }}
                >
                  <IconListDetails size={18} aria-hidden />
                </ActionIcon>
              </Tooltip>
            </Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}
