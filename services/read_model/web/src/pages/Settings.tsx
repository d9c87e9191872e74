import { Alert, Button, NumberInput, Select, Stack, Switch, TagsInput, Text } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useMemo } from "react";
import { api, data } from "@/api/client";
import { settingsQuery } from "@/api/names";
import { ProblemError } from "@/api/problem";
import type { WorkspaceSettings } from "@/api/types";
import { useMay, useWorkspace } from "@/auth/session";
import { notifyDone, notifyFailure } from "@/components/notify";
import { Page } from "@/components/Page";
import { Panel } from "@/components/Panel";
import { RowsLoading } from "@/components/RowsLoading";
import { Failure } from "@/components/States";
import { texts } from "@/texts";
import { regions } from "@/texts/places";

const { settings } = texts;

export default function Settings() {
  const workspace = useWorkspace();
  const { data: known, error, refetch } = useQuery(settingsQuery);
  return (
    <Page title={settings.title}>
      <Text c="dimmed" mt={-12} mb="md">
        {settings.lead(workspace)}
      </Text>
      {error ? (
        <Failure error={error} retry={refetch} />
      ) : known ? (
        <SettingsForm known={known} />
      ) : (
        <RowsLoading />
      )}
    </Page>
  );
}

/** What is left alone is not stated: the installation may choose it later on. */
function changed(wanted: WorkspaceSettings, known: WorkspaceSettings): Partial<WorkspaceSettings> {
  const names = Object.keys(wanted) as (keyof WorkspaceSettings)[];
  const differing = names.filter(
    (name) => JSON.stringify(wanted[name]) !== JSON.stringify(known[name]),
  );
  return Object.fromEntries(differing.map((name) => [name, wanted[name]]));
}

function SettingsForm({ known }: { known: WorkspaceSettings }) {
  const client = useQueryClient();
  const mayWrite = useMay("administer");
  const places = useMemo(() => regions(), []);
  const form = useForm({
    initialValues: { ...known, default_region: known.default_region ?? "" },
  });
  const saving = useMutation({
    mutationFn: (wanted: typeof form.values) =>
      data(
        api.PATCH("/api/v1/settings", {
          body: changed({ ...wanted, default_region: wanted.default_region || null }, known),
        }),
      ),
    onSuccess: async () => {
      notifyDone(settings.saved);
      await client.invalidateQueries({ queryKey: settingsQuery.queryKey });
    },
    onError: (error) => {
      if (error instanceof ProblemError) form.setErrors(Object.fromEntries(error.fields));
      notifyFailure(settings.failed, error);
    },
  });
  return (
    <Panel>
      <form noValidate onSubmit={form.onSubmit((wanted) => saving.mutate(wanted))}>
        <Stack maw="36rem" gap="lg">
          {!mayWrite && <Alert color="gray">{settings.readOnly}</Alert>}
          <Switch
            {...form.getInputProps("allow_self_approval", { type: "checkbox" })}
            label={settings.selfApproval}
            description={settings.selfApprovalHint}
            disabled={!mayWrite}
          />
          <Select
            {...form.getInputProps("default_region")}
            label={settings.region}
            description={settings.regionHint}
            data={[{ value: "", label: settings.none }, ...places]}
            searchable
            limit={60}
            allowDeselect={false}
            disabled={!mayWrite}
          />
          <TagsInput
            {...form.getInputProps("stop_words")}
            label={settings.stopWords}
            description={settings.stopWordsHint}
            acceptValueOnBlur
            disabled={!mayWrite}
          />
          <NumberInput
            {...form.getInputProps("retention_days")}
            label={settings.retention}
            min={1}
            max={3650}
            allowDecimal={false}
            maw="16rem"
            disabled={!mayWrite}
          />
          {mayWrite && (
            <Button type="submit" loading={saving.isPending} w="fit-content">
              {settings.save}
            </Button>
          )}
        </Stack>
      </form>
    </Panel>
  );
}
