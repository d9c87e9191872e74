import {
  ActionIcon,
  Button,
  FileButton,
  Modal,
  Stack,
  Table,
  Text,
  TextInput,
  Tooltip,
  VisuallyHidden,
} from "@mantine/core";
import { useForm } from "@mantine/form";
import { useDisclosure } from "@mantine/hooks";
import { modals } from "@mantine/modals";
import { IconPlus, IconTrash, IconUpload } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { api, data } from "@/api/client";
import { ProblemError } from "@/api/problem";
import type { Suppression, UploadReport } from "@/api/types";
import { upload } from "@/api/upload";
import { usePages } from "@/api/usePages";
import { useMay } from "@/auth/session";
import { DialogButtons } from "@/components/DialogButtons";
import { notifyDone, notifyFailure } from "@/components/notify";
import { Page } from "@/components/Page";
import { Pager } from "@/components/Pager";
import { Panel } from "@/components/Panel";
import { RowsLoading } from "@/components/RowsLoading";
import { Empty, Failure } from "@/components/States";
import { TableRegion } from "@/components/TableRegion";
import { texts } from "@/texts";
import { dateTime } from "@/texts/format";
import { UploadReportPanel } from "./wizard/UploadReportPanel";

const { suppressions } = texts;
const KEY = ["suppressions"];

export default function Suppressions() {
  const mayWrite = useMay("administer");
  const [adding, dialog] = useDisclosure();
  const pages = usePages({
    key: KEY,
    read: (cursor) =>
      data(
        api.GET("/api/v1/suppressions", {
          params: { query: { limit: 50, cursor: cursor ?? null } },
        }),
      ),
  });
  return (
    <Page
      title={suppressions.title}
      actions={
        mayWrite && (
          <>
            <UploadFile />
            <Button leftSection={<IconPlus size={16} aria-hidden />} onClick={dialog.open}>
              {suppressions.add}
            </Button>
          </>
        )
      }
    >
      <Text c="dimmed" mt={-12} mb="md">
        {suppressions.lead}
      </Text>
      <Panel flush>
        {pages.error ? (
          <Failure error={pages.error} retry={pages.refetch} />
        ) : pages.isPending ? (
          <RowsLoading />
        ) : pages.items.length === 0 ? (
          <Empty title={suppressions.empty}>{suppressions.emptyText}</Empty>
        ) : (
          <>
            <TableRegion label={suppressions.title}>
              <Entries entries={pages.items} mayRemove={mayWrite} />
            </TableRegion>
            <Pager pages={pages} />
          </>
        )}
      </Panel>
      <Modal
        opened={adding}
        onClose={dialog.close}
        title={suppressions.add}
        closeButtonProps={{ "aria-label": texts.shared.close }}
      >
        <AddForm key={String(adding)} onDone={dialog.close} />
      </Modal>
    </Page>
  );
}

function Entries({ entries, mayRemove }: { entries: readonly Suppression[]; mayRemove: boolean }) {
  const client = useQueryClient();
  const removing = useMutation({
    mutationFn: (id: string) =>
      data(api.DELETE("/api/v1/suppressions/{entry_id}", { params: { path: { entry_id: id } } })),
    onSuccess: async () => {
      notifyDone(suppressions.removed);
      await client.invalidateQueries({ queryKey: KEY });
    },
    onError: (error) => notifyFailure(suppressions.failed, error),
  });
  const remove = ({ id, phone }: Suppression) =>
    modals.openConfirmModal({
      title: suppressions.removeTitle,
      children: <Text size="sm">{suppressions.removeText(phone ?? texts.detail.erased)}</Text>,
      labels: { confirm: suppressions.removeConfirm, cancel: texts.shared.cancel },
      confirmProps: { color: "red" },
      onConfirm: () => removing.mutate(id),
    });
  return (
    <Table highlightOnHover>
      <Table.Thead>
        <Table.Tr>
          <Table.Th>{suppressions.phone}</Table.Th>
          <Table.Th>{suppressions.source}</Table.Th>
          <Table.Th>{suppressions.reason}</Table.Th>
          <Table.Th>{suppressions.since}</Table.Th>
          {mayRemove && (
            <Table.Th>
              <VisuallyHidden>{suppressions.remove}</VisuallyHidden>
            </Table.Th>
          )}
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {entries.map((entry) => (
          <Table.Tr key={entry.id}>
            <Table.Td>{entry.phone ?? texts.detail.erased}</Table.Td>
            <Table.Td>{suppressions.sources[entry.source] ?? entry.source}</Table.Td>
            <Table.Td>{entry.reason ?? "–"}</Table.Td>
            <Table.Td style={{ whiteSpace: "nowrap" }}>{dateTime(entry.created_at)}</Table.Td>
            {mayRemove && (
              <Table.Td ta="end" py={4}>
                <Tooltip label={suppressions.remove}>
                  <ActionIcon
                    variant="subtle"
                    color="gray"
                    aria-label={suppressions.removeOf(entry.phone ?? texts.detail.erased)}
                    onClick={() => remove(entry)}
                  >
                    <IconTrash size={18} aria-hidden />
                  </ActionIcon>
                </Tooltip>
              </Table.Td>
            )}
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}

function AddForm({ onDone }: { onDone: () => void }) {
  const client = useQueryClient();
  const form = useForm({ initialValues: { phone: "", reason: "" } });
  const adding = useMutation({
    mutationFn: ({ phone, reason }: { phone: string; reason: string }) =>
      data(
        api.POST("/api/v1/suppressions", {
          body: { phone: phone.trim(), reason: reason.trim() || null },
        }),
      ),
    onSuccess: async () => {
      notifyDone(suppressions.added);
      onDone();
      await client.invalidateQueries({ queryKey: KEY });
    },
    onError: (error) => {
      const isInvalid = error instanceof ProblemError && error.code === "invalid";
      if (isInvalid) form.setErrors({ phone: error.message, ...Object.fromEntries(error.fields) });
      else notifyFailure(suppressions.failed, error);
    },
  });
  return (
    <form noValidate onSubmit={form.onSubmit((wanted) => adding.mutate(wanted))}>
      <Stack>
        <TextInput
          {...form.getInputProps("phone")}
          label={suppressions.phone}
          description={suppressions.phoneHint}
          inputMode="tel"
          required
          data-autofocus
        />
        <TextInput {...form.getInputProps("reason")} label={suppressions.reason} maxLength={200} />
        <DialogButtons submit={suppressions.add} busy={adding.isPending} onCancel={onDone} />
      </Stack>
    </form>
  );
}

function UploadFile() {
  const client = useQueryClient();
  const uploading = useMutation({
    mutationFn: (file: File) =>
      upload<UploadReport>({
        path: "/api/v1/suppressions",
        file,
        onProgress: () => {},
        signal: new AbortController().signal,
      }),
    onSuccess: async (report) => {
      modals.open({
        title: suppressions.uploaded,
        closeButtonProps: { "aria-label": texts.shared.close },
        children: <UploadReportPanel report={report} />,
      });
      await client.invalidateQueries({ queryKey: KEY });
    },
    onError: (error) => notifyFailure(suppressions.failed, error),
  });
  return (
    <FileButton
      accept=".csv,.txt,text/csv,text/plain"
      onChange={(file) => file && uploading.mutate(file)}
    >
      {(props) => (
        <Button
          {...props}
          variant="default"
          loading={uploading.isPending}
          leftSection={<IconUpload size={16} aria-hidden />}
        >
          {suppressions.upload}
        </Button>
      )}
    </FileButton>
  );
}
