import { Button, Stack, Switch } from "@mantine/core";
import { IconAddressBook, IconPlus } from "@tabler/icons-react";
import { useState } from "react";
import { api, data } from "@/api/client";
import type { Sender } from "@/api/types";
import { usePages } from "@/api/usePages";
import { useMay } from "@/auth/session";
import { Page } from "@/components/Page";
import { Pager } from "@/components/Pager";
import { Panel } from "@/components/Panel";
import { RowsLoading } from "@/components/RowsLoading";
import { Empty, Failure } from "@/components/States";
import { texts } from "@/texts";
import { SenderCard } from "./senders/SenderCard";
import { SenderDialog } from "./senders/SenderDialog";

const { senders } = texts;
const EVERY_MS = 10_000;

export default function Senders() {
  const mayCreate = useMay("senders");
  const [dialog, setDialog] = useState<{ sender: Sender | null } | null>(null);
  const [withArchived, setWithArchived] = useState(false);
  const pages = usePages({
    key: ["senders", "pages"],
    read: (cursor) =>
      data(
        api.GET("/api/v1/senders", { params: { query: { limit: 50, cursor: cursor ?? null } } }),
      ),
    everyMs: EVERY_MS,
  });
  const shown = pages.items.filter((sender) => withArchived || sender.status !== "archived");
  const hasArchived = pages.items.some((sender) => sender.status === "archived");
  return (
    <Page
      title={senders.title}
      actions={
        <>
          {hasArchived && (
            <Switch
              label={senders.showArchived}
              checked={withArchived}
              onChange={(event) => setWithArchived(event.currentTarget.checked)}
            />
          )}
          {mayCreate && (
            <Button
              leftSection={<IconPlus size={16} aria-hidden />}
              onClick={() => setDialog({ sender: null })}
            >
              {senders.create}
            </Button>
          )}
        </>
      }
    >
      {pages.error ? (
        <Failure error={pages.error} retry={pages.refetch} />
      ) : pages.isPending ? (
        <RowsLoading />
      ) : shown.length === 0 ? (
        <Panel>
          <Empty title={senders.empty} icon={<IconAddressBook aria-hidden />}>
            {senders.emptyText}
          </Empty>
        </Panel>
      ) : (
        <Stack gap="md">
          {shown.map((sender) => (
            <SenderCard key={sender.id} sender={sender} onRevise={() => setDialog({ sender })} />
          ))}
        </Stack>
      )}
      <Pager pages={pages} />
      <SenderDialog
        opened={dialog !== null}
        sender={dialog?.sender ?? null}
        onClose={() => setDialog(null)}
      />
    </Page>
  );
}
