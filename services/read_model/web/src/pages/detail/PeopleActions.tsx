import { Button, Group, Modal, Stack, Textarea, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { modals } from "@mantine/modals";
import { IconSend, IconUserMinus, IconUserPlus } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, data } from "@/api/client";
import { ProblemError } from "@/api/problem";
import type { Campaign, SmsCampaign, UploadReport } from "@/api/types";
import { useMay } from "@/auth/session";
import { DialogButtons } from "@/components/DialogButtons";
import { notifyDone, notifyFailure } from "@/components/notify";
import { placeholdersOf } from "@/pages/wizard/plain";
import { UploadReportPanel } from "@/pages/wizard/UploadReportPanel";
import { texts } from "@/texts";
import { offered, type PeopleAction, phonesIn } from "./people";

const { people } = texts;
const ICONS = { add: IconUserPlus, exclude: IconUserMinus, push: IconSend };

/** What may be done about single people of a campaign now, if anything. */
export function PeopleActions({ campaign }: { campaign: Campaign }) {
  const mayAuthor = useMay("author");
  const [opened, setOpened] = useState<PeopleAction | null>(null);
  const actions = mayAuthor ? offered(campaign) : [];
  if (actions.length === 0) return null;
  const close = () => setOpened(null);
  return (
    <Group gap="xs" mb="sm" justify="flex-end">
      {actions.map((action) => {
        const Icon = ICONS[action];
        return (
          <Button
            key={action}
            size="xs"
            variant="default"
            leftSection={<Icon size={16} aria-hidden />}
            onClick={() => setOpened(action)}
          >
            {people[action].title}
          </Button>
        );
      })}
      <Modal
        opened={opened !== null}
        onClose={close}
        title={opened && people[opened].title}
        closeButtonProps={{ "aria-label": texts.shared.close }}
      >
        {opened === "push" && campaign.channel === "sms" ? (
          <PushForm campaign={campaign} onDone={close} />
        ) : (
          opened &&
          opened !== "push" && <PhonesForm campaign={campaign} action={opened} onDone={close} />
        )}
      </Modal>
    </Group>
  );
}

interface Phones {
  campaign: Campaign;
  action: "add" | "exclude";
  onDone: () => void;
}

/** Numbers, one in a line; what became of each is shown as for a file. */
function PhonesForm({ campaign, action, onDone }: Phones) {
  const client = useQueryClient();
  const words = people[action];
  const form = useForm({
    initialValues: { phones: "" },
    validate: { phones: (text) => (phonesIn(text).length > 0 ? null : people.needed) },
  });
  const changing = useMutation({
    mutationFn: (phones: string[]) => changed(campaign.id, action, phones),
    onSuccess: async (report) => {
      onDone();
      modals.open({
        title: words.done,
        closeButtonProps: { "aria-label": texts.shared.close },
        children: <UploadReportPanel report={report} nobody={people.nobody} />,
      });
      await client.invalidateQueries({ queryKey: ["campaign", campaign.id] });
    },
    onError: (error) => notifyFailure(people.failed, error),
  });
  return (
    <form noValidate onSubmit={form.onSubmit(({ phones }) => changing.mutate(phonesIn(phones)))}>
      <Stack>
        <Textarea
          {...form.getInputProps("phones")}
          label={people.phones}
          description={words.hint}
          inputMode="tel"
          autosize
          minRows={4}
          maxRows={12}
          required
          data-autofocus
        />
        <DialogButtons submit={words.submit} busy={changing.isPending} onCancel={onDone} />
      </Stack>
    </form>
  );
}

function changed(id: string, action: "add" | "exclude", phones: string[]): Promise<UploadReport> {
  const params = { path: { campaign_id: id } };
  return action === "add"
    ? data(
        api.POST("/api/v1/campaigns/{campaign_id}/contacts", {
          params,
          body: { contacts: phones.map((phone) => ({ phone })) },
        }),
      )
    : data(api.POST("/api/v1/campaigns/{campaign_id}/exclusions", { params, body: { phones } }));
}

/** One message of a campaign that is pushed to: a phone, and a value for each placeholder. */
function PushForm({ campaign, onDone }: { campaign: SmsCampaign; onDone: () => void }) {
  const client = useQueryClient();
  const names = placeholdersOf(campaign.text);
  const form = useForm({
    initialValues: { phone: "", values: names.map(() => "") },
    validate: { phone: (text) => (text.trim() ? null : people.needed) },
  });
  const pushing = useMutation({
    mutationFn: ({ phone, values }: { phone: string; values: string[] }) =>
      data(
        api.POST("/api/v1/campaigns/{campaign_id}/messages", {
          params: { path: { campaign_id: campaign.id } },
          body: {
            phone: phone.trim(),
            variables: Object.fromEntries(names.map((name, place) => [name, values[place] ?? ""])),
          },
        }),
      ),
    onSuccess: async ({ number, status }) => {
      notifyDone(people.pushed(number, texts.calling.messageStatuses[status]));
      onDone();
      await client.invalidateQueries({ queryKey: ["campaign", campaign.id] });
    },
    onError: (error) => {
      const isInvalid = error instanceof ProblemError && error.code === "invalid";
      if (isInvalid) form.setErrors({ phone: error.message });
      else notifyFailure(people.failed, error);
    },
  });
  return (
    <form noValidate onSubmit={form.onSubmit((wanted) => pushing.mutate(wanted))}>
      <Stack>
        <TextInput
          {...form.getInputProps("phone")}
          label={people.phone}
          description={people.push.hint}
          inputMode="tel"
          required
          data-autofocus
        />
        {names.map((name, place) => (
          <TextInput key={name} {...form.getInputProps(`values.${place}`)} label={name} />
        ))}
        <DialogButtons submit={people.push.submit} busy={pushing.isPending} onCancel={onDone} />
      </Stack>
    </form>
  );
}
