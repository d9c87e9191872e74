import { Button, Group, SimpleGrid, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { IconSearch } from "@tabler/icons-react";
import { useState } from "react";
import { api, data } from "@/api/client";
import { usePages } from "@/api/usePages";
import { DownloadButton } from "@/components/DownloadButton";
import { Pager } from "@/components/Pager";
import { Panel } from "@/components/Panel";
import { RowsLoading } from "@/components/RowsLoading";
import { Empty, Failure } from "@/components/States";
import { TableRegion } from "@/components/TableRegion";
import { texts } from "@/texts";
import { AuditTable } from "./AuditTable";
import { type AuditWanted, auditAddress, auditQuery, EVERYTHING } from "./auditSearch";

const { diagnostics } = texts;
const FILE = "audit.csv";

/** Who did what, when, from where; for admins. */
export function Audit() {
  const [wanted, setWanted] = useState(EVERYTHING);
  const pages = usePages({
    key: ["diagnostics", "audit", wanted],
    read: (cursor) =>
      data(
        api.GET("/api/v1/audit", {
          params: { query: { ...auditQuery(wanted), limit: 50, cursor: cursor ?? null } },
        }),
      ),
  });
  return (
    <Panel
      flush
      title={diagnostics.searchTitle}
      aside={
        <DownloadButton
          path={`/api/v1/audit.csv${auditAddress(wanted)}`}
          file={FILE}
          label={diagnostics.download}
        />
      }
    >
      <Search onSearch={setWanted} />
      {pages.error ? (
        <Failure error={pages.error} retry={pages.refetch} />
      ) : pages.isPending ? (
        <RowsLoading />
      ) : pages.items.length === 0 ? (
        <Empty title={diagnostics.nothing}>{diagnostics.nothingText}</Empty>
      ) : (
        <>
          <TableRegion label={diagnostics.searchTitle}>
            <AuditTable items={pages.items} />
          </TableRegion>
          <Pager pages={pages} />
        </>
      )}
    </Panel>
  );
}

function Search({ onSearch }: { onSearch: (wanted: AuditWanted) => void }) {
  const form = useForm({ initialValues: EVERYTHING });
  return (
    <form
      role="search"
      aria-label={diagnostics.searchTitle}
      onSubmit={form.onSubmit((wanted) => onSearch({ ...wanted }))}
    >
      <SimpleGrid cols={{ base: 1, xs: 2, lg: 5 }} px="md" pb="sm">
        {(["actor", "action", "resource"] as const).map((name) => (
          <TextInput
            key={name}
            {...form.getInputProps(name)}
            label={diagnostics[name]}
            placeholder={diagnostics[`${name}Hint`]}
          />
        ))}
        {(["from", "to"] as const).map((name) => (
          <TextInput
            key={name}
            {...form.getInputProps(name)}
            type="datetime-local"
            label={diagnostics[name]}
          />
        ))}
      </SimpleGrid>
      <Group px="md" pb="md" gap="xs">
        <Button type="submit" size="sm" leftSection={<IconSearch size={16} aria-hidden />}>
          {diagnostics.search}
        </Button>
        <Button
          size="sm"
          variant="default"
          onClick={() => {
            form.reset();
            onSearch(EVERYTHING);
          }}
        >
          {diagnostics.clear}
        </Button>
      </Group>
    </form>
  );
}
