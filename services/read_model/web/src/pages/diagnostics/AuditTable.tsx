import { ActionIcon, Badge, Code, Drawer, Stack, Table, Text, VisuallyHidden } from "@mantine/core";
import { IconListDetails } from "@tabler/icons-react";
import { useState } from "react";
import type { AuditItem } from "@/api/types";
import { Facts } from "@/components/Facts";
import { tint } from "@/components/tint";
import { texts } from "@/texts";
import { count, dateTime, time } from "@/texts/format";

const { diagnostics } = texts;

/** Audit records, the newest first; each opens in full. */
export function AuditTable({ items }: { items: readonly AuditItem[] }) {
  const [opened, setOpened] = useState<AuditItem | null>(null);
  return (
    <>
      <Table highlightOnHover>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{diagnostics.when}</Table.Th>
            <Table.Th>{diagnostics.who}</Table.Th>
            <Table.Th>{diagnostics.what}</Table.Th>
            <Table.Th>{diagnostics.about}</Table.Th>
            <Table.Th>{diagnostics.outcome}</Table.Th>
            <Table.Th>
              <VisuallyHidden>{diagnostics.details}</VisuallyHidden>
            </Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {items.map((item) => (
            <Table.Tr key={item.id} onClick={() => setOpened(item)} style={{ cursor: "pointer" }}>
              <Table.Td style={{ whiteSpace: "nowrap" }}>
                <time dateTime={item.at}>{dateTime(item.at)}</time>
              </Table.Td>
              <Table.Td>{item.actor.name}</Table.Td>
              <Table.Td ff="monospace" fz="sm">
                {item.action}
              </Table.Td>
              <Table.Td style={{ whiteSpace: "nowrap" }}>
                {item.resource.type}
                {item.resource.id && (
                  <Text span size="sm" c="dimmed" ff="monospace">
                    {" "}
                    {item.resource.id.slice(-8)}
                  </Text>
                )}
              </Table.Td>
              <Table.Td>
                <Badge style={tint(item.outcome === "done" ? "green" : "red")}>
                  {diagnostics.outcomes[item.outcome]}
                </Badge>
              </Table.Td>
              <Table.Td ta="end" py={4}>
                <ActionIcon
                  variant="subtle"
                  color="gray"
                  aria-label={diagnostics.detailsOf(`${item.action}, ${time(item.at)}`)}
                  onClick={(event) => {
                    event.stopPropagation();
                    setOpened(item);
                  }}
                >
                  <IconListDetails size={18} aria-hidden />
                </ActionIcon>
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
      <Drawer
        opened={opened !== null}
        onClose={() => setOpened(null)}
        position="right"
        title={<strong>{opened?.action}</strong>}
        closeButtonProps={{ "aria-label": texts.shared.close }}
      >
        {opened && <Record item={opened} />}
      </Drawer>
    </>
  );
}

function Record({ item }: { item: AuditItem }) {
  const told: [string, string | null][] = [
    [diagnostics.when, item.at],
    [diagnostics.who, `${item.actor.name} (${item.actor.id})`],
    [diagnostics.about, [item.resource.type, item.resource.id].filter(Boolean).join(" ")],
    [diagnostics.outcome, diagnostics.outcomes[item.outcome]],
    [diagnostics.refusal, item.refusal],
    [diagnostics.ip, item.ip],
    [diagnostics.agent, item.user_agent],
    [diagnostics.request, item.request_id],
    [diagnostics.outcomes.refused, item.count > 1 ? diagnostics.times(count(item.count)) : null],
  ];
  return (
    <Stack>
      <Facts
        facts={told.flatMap(([name, value]) => (value ? [{ name, value, wide: true }] : []))}
      />
      <Change title={diagnostics.before} value={item.before} />
      <Change title={diagnostics.after} value={item.after} />
    </Stack>
  );
}

function Change({ title, value }: { title: string; value: AuditItem["before"] }) {
  if (value === null) return null;
  return (
    <div>
      <Text size="xs" c="dimmed" fw={500} mb={4}>
        {title}
      </Text>
      <Code block tabIndex={0}>
        {JSON.stringify(value, null, 2)}
      </Code>
    </div>
  );
}
