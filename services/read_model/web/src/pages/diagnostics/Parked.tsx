import { Button, Group, Table, Text, VisuallyHidden } from "@mantine/core";
import { modals } from "@mantine/modals";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { api, data } from "@/api/client";
import type { components } from "@/api/schema";
import { usePages } from "@/api/usePages";
import { notifyDone, notifyFailure } from "@/components/notify";
import { Pager } from "@/components/Pager";
import { Panel } from "@/components/Panel";
import { RowsLoading } from "@/components/RowsLoading";
import { Empty, Failure } from "@/components/States";
import { TableRegion } from "@/components/TableRegion";
import { texts } from "@/texts";
import { count, dateTime } from "@/texts/format";

const { diagnostics } = texts;
const EVERY_MS = 10_000;
type ParkedItem = components["schemas"]["ParkedItem"];
type Release = "retry" | "drop";

/** Events of this workspace that could not be digested, and what to do about them. */
export function Parked() {
  const pages = usePages({
    key: ["diagnostics", "parked"],
    read: (cursor) =>
      data(
        api.GET("/api/v1/ops/parked", { params: { query: { limit: 50, cursor: cursor ?? null } } }),
      ),
    everyMs: EVERY_MS,
  });
  return (
    <Panel flush title={diagnostics.parkedTitle}>
      {pages.error ? (
        <Failure error={pages.error} retry={pages.refetch} />
      ) : pages.isPending ? (
        <RowsLoading rows={2} />
      ) : pages.items.length === 0 ? (
        <Empty title={diagnostics.noParked}>{diagnostics.parkedText}</Empty>
      ) : (
        <>
          <TableRegion label={diagnostics.parkedTitle}>
            <ParkedTable items={pages.items} />
          </TableRegion>
          <Pager pages={pages} />
        </>
      )}
    </Panel>
  );
}

function ParkedTable({ items }: { items: readonly ParkedItem[] }) {
  const releasing = useRelease();
  const drop = (id: string) =>
    modals.openConfirmModal({
      title: diagnostics.dropTitle,
      children: <Text size="sm">{diagnostics.dropText}</Text>,
      labels: { confirm: diagnostics.dropConfirm, cancel: texts.shared.cancel },
      confirmProps: { color: "red" },
      onConfirm: () => releasing.mutate({ id, how: "drop" }),
    });
  return (
    <Table>
      <Table.Thead>
        <Table.Tr>
          <Table.Th>{diagnostics.event}</Table.Th>
          <Table.Th>{diagnostics.reader}</Table.Th>
          <Table.Th>{diagnostics.error}</Table.Th>
          <Table.Th ta="end">{diagnostics.tries}</Table.Th>
          <Table.Th ta="end">{diagnostics.waiting}</Table.Th>
          <Table.Th>{diagnostics.since}</Table.Th>
          <Table.Th>
            <VisuallyHidden>{texts.actions.group(diagnostics.parkedTitle)}</VisuallyHidden>
          </Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {items.map((item) => (
          <Table.Tr key={item.id}>
            <Table.Td>
              {item.type}
              <Text size="xs" c="dimmed" ff="monospace">
                {item.position} · {item.thing.slice(-8)}
              </Text>
            </Table.Td>
            <Table.Td>
              {item.service} / {item.reader}
            </Table.Td>
            <Table.Td maw="22rem">{item.error}</Table.Td>
            <Table.Td ta="end">{count(item.tries)}</Table.Td>
            <Table.Td ta="end">{count(item.waiting)}</Table.Td>
            <Table.Td style={{ whiteSpace: "nowrap" }}>{dateTime(item.first_at)}</Table.Td>
            <Table.Td>
              <Group gap="xs" wrap="nowrap">
                <Button
                  size="xs"
                  variant="default"
                  aria-label={diagnostics.retryOf(item.type)}
                  onClick={() => releasing.mutate({ id: item.id, how: "retry" })}
                >
                  {diagnostics.retry}
                </Button>
                <Button
                  size="xs"
                  variant="default"
                  aria-label={diagnostics.dropOf(item.type)}
                  onClick={() => drop(item.id)}
                >
                  {diagnostics.drop}
                </Button>
              </Group>
            </Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}

function useRelease() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ id, how }: { id: string; how: Release }) => {
      const params = { path: { parked_id: id } };
      return data(
        how === "retry"
          ? api.POST("/api/v1/ops/parked/{parked_id}/retry", { params })
          : api.POST("/api/v1/ops/parked/{parked_id}/drop", { params }),
      );
    },
    onSuccess: async ({ done, failed, left }) => {
      if (failed) notifyFailure(diagnostics.stillFails, left?.error ?? "");
      else notifyDone(diagnostics.released(count(done)));
      await client.invalidateQueries({ queryKey: ["diagnostics"] });
    },
    onError: (error) => notifyFailure(diagnostics.failed, error),
  });
}
