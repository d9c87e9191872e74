// The steps that are a few fields each: details, sender and link, caller ids.
import { Alert, Anchor, Select, Stack, TagsInput, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { Link } from "react-router";
import { linksQuery, sendersQuery, settingsQuery } from "@/api/names";
import type { Sender } from "@/api/types";
import { Failure } from "@/components/States";
import { texts } from "@/texts";
import { regions } from "@/texts/places";
import type { Form } from "./fields";

const { wizard } = texts;

/** What it is called, and how its numbers are read. */
export function DetailsStep({ form }: { form: Form }) {
  const { data: settings } = useQuery(settingsQuery);
  const known = useMemo(() => regions(), []);
  const fallback = settings?.default_region
    ? wizard.regionOfWorkspace(settings.default_region)
    : wizard.regionNone;
  return (
    <Stack maw="34rem">
      <TextInput
        {...form.getInputProps("name")}
        label={wizard.name}
        description={wizard.nameHint}
        maxLength={200}
        required
        data-autofocus
      />
      <Select
        {...form.getInputProps("default_region")}
        label={wizard.region}
        description={wizard.regionHint}
        data={[{ value: "", label: fallback }, ...known]}
        searchable
        limit={60}
        allowDeselect={false}
      />
    </Stack>
  );
}

/** Who it comes from, and by which way. */
export function SenderStep({ form }: { form: Form }) {
  const { data: senders, error, refetch } = useQuery(sendersQuery);
  const { data: links } = useQuery(linksQuery);
  if (error) return <Failure error={error} retry={refetch} />;
  const usable = (senders?.items ?? []).filter((sender) => sender.status !== "archived");
  const chosen = usable.find((sender) => sender.id === form.values.sender_id);
  return (
    <Stack maw="34rem">
      <Select
        {...form.getInputProps("sender_id")}
        value={form.values.sender_id || null}
        label={wizard.sender}
        description={wizard.senderHint}
        placeholder={wizard.senderPick}
        data={usable.map((sender) => ({ value: sender.id, label: labelOf(sender) }))}
        searchable
        required
      />
      {senders && usable.length === 0 && (
        <Alert color="amber">
          {wizard.noSenders}{" "}
          <Anchor component={Link} to="/dashboard/senders" inherit>
            {wizard.makeSender}
          </Anchor>
        </Alert>
      )}
      {chosen && chosen.current_revision === null && (
        <Alert color="amber">{wizard.senderWaits}</Alert>
      )}
      <Select
        {...form.getInputProps("link_id")}
        value={form.values.link_id || null}
        label={wizard.link}
        description={wizard.linkHint}
        placeholder={wizard.linkPick}
        data={(links?.items ?? []).map((link) => ({
          value: link.id,
          label: link.state === "up" ? link.name : wizard.linkDown(link.name),
        }))}
        required
      />
    </Stack>
  );
}

function labelOf(sender: Sender): string {
  const current = sender.revisions.find((one) => one.number === sender.current_revision);
  if (!current) return wizard.senderPending(sender.name);
  return current.saddr === sender.name ? sender.name : `${sender.name} (${current.saddr})`;
}

/** Whose number is shown, and who talks to those who answer. */
export function CallersStep({ form }: { form: Form }) {
  return (
    <Stack maw="34rem">
      <TagsInput
        {...form.getInputProps("caller_ids")}
        label={wizard.callerIds}
        description={wizard.callerIdsHint}
        splitChars={[",", ";", " "]}
        acceptValueOnBlur
        inputMode="tel"
        clearable={false}
      />
      <TextInput
        {...form.getInputProps("destination")}
        label={wizard.destination}
        description={wizard.destinationHint}
        placeholder="sim:agents"
        required
      />
    </Stack>
  );
}
