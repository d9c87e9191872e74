import {
  Accordion,
  Group,
  Modal,
  NumberInput,
  Stack,
  Text,
  Textarea,
  TextInput,
} from "@mantine/core";
import { useForm } from "@mantine/form";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { api, data } from "@/api/client";
import { ProblemError } from "@/api/problem";
import type { Sender } from "@/api/types";
import { DialogButtons } from "@/components/DialogButtons";
import { notifyDone, notifyFailure } from "@/components/notify";
import { texts } from "@/texts";

const { senders } = texts;
const TYPES = ["ston", "snpi", "dton", "dnpi"] as const;

interface Wanted {
  name: string;
  saddr: string;
  reason: string;
  ston: number | "";
  snpi: number | "";
  dton: number | "";
  dnpi: number | "";
}

interface Parts {
  opened: boolean;
  /** The sender that gets another revision; null for a new sender. */
  sender: Sender | null;
  onClose: () => void;
}

/** Make a sender, or another revision of one; a moderator decides about both. */
export function SenderDialog({ opened, sender, onClose }: Parts) {
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      title={sender ? senders.reviseTitle(sender.name) : senders.createTitle}
      closeButtonProps={{ "aria-label": texts.shared.close }}
    >
      <SenderForm key={`${opened} ${sender?.id}`} sender={sender} onDone={onClose} />
    </Modal>
  );
}

function SenderForm({ sender, onDone }: { sender: Sender | null; onDone: () => void }) {
  const client = useQueryClient();
  const newest = sender?.revisions.at(-1);
  const needed = (value: string) => (value.trim() ? null : senders.required);
  const form = useForm<Wanted>({
    initialValues: {
      name: sender?.name ?? "",
      saddr: newest?.saddr ?? "",
      reason: "",
      ston: "",
      snpi: "",
      dton: newest?.dton ?? 1,
      dnpi: newest?.dnpi ?? 1,
    },
    validate: { name: needed, saddr: needed },
  });
  const submitting = useMutation({
    mutationFn: (wanted: Wanted) => submit(sender, wanted),
    onSuccess: async ({ name }) => {
      notifyDone(senders.submitted(name));
      onDone();
      await client.invalidateQueries({ queryKey: ["senders"] });
      await client.invalidateQueries({ queryKey: ["moderation"] });
    },
    onError: (error) => {
      if (error instanceof ProblemError && error.fields.size > 0) {
        // What is wrong with the whole is wrong with how it appears.
        const placed = [...error.fields].map(([field, reason]) => [
          field in form.values ? field : "saddr",
          reason,
        ]);
        form.setErrors(Object.fromEntries(placed));
      } else notifyFailure(senders.failed, error);
    },
  });
  return (
    <form noValidate onSubmit={form.onSubmit((wanted) => submitting.mutate(wanted))}>
      <Stack>
        {!sender && (
          <TextInput
            {...form.getInputProps("name")}
            label={senders.name}
            description={senders.nameHint}
            maxLength={200}
            required
            data-autofocus
          />
        )}
        <TextInput
          {...form.getInputProps("saddr")}
          label={senders.saddr}
          description={senders.saddrHint}
          maxLength={40}
          required
          data-autofocus={sender ? true : undefined}
        />
        <Textarea
          {...form.getInputProps("reason")}
          label={senders.reason}
          description={senders.reasonHint}
          maxLength={2000}
          autosize
          minRows={2}
        />
        <Accordion variant="separated">
          <Accordion.Item value="types">
            <Accordion.Control>{senders.advanced}</Accordion.Control>
            <Accordion.Panel>
              <Text size="xs" c="dimmed" mb="sm">
                {senders.advancedHint}
              </Text>
              <Group grow>
                {TYPES.slice(0, 2).map((name) => (
                  <Type key={name} label={senders[name]} {...form.getInputProps(name)} />
                ))}
              </Group>
              <Group grow mt="sm">
                {TYPES.slice(2).map((name) => (
                  <Type key={name} label={senders[name]} {...form.getInputProps(name)} />
                ))}
              </Group>
            </Accordion.Panel>
          </Accordion.Item>
        </Accordion>
        <DialogButtons submit={senders.submit} busy={submitting.isPending} onCancel={onDone} />
      </Stack>
    </form>
  );
}

function Type(props: { label: string }) {
  return <NumberInput {...props} min={0} max={18} allowDecimal={false} allowNegative={false} />;
}

function submit(sender: Sender | null, wanted: Wanted): Promise<Sender> {
  const revision = {
    saddr: wanted.saddr.trim(),
    reason: wanted.reason.trim() || null,
    ston: wanted.ston === "" ? null : wanted.ston,
    snpi: wanted.snpi === "" ? null : wanted.snpi,
    dton: wanted.dton === "" ? 1 : wanted.dton,
    dnpi: wanted.dnpi === "" ? 1 : wanted.dnpi,
  };
  return sender
    ? data(
        api.POST("/api/v1/senders/{sender_id}/revisions", {
          params: { path: { sender_id: sender.id } },
          body: revision,
        }),
      )
    : data(api.POST("/api/v1/senders", { body: { name: wanted.name.trim(), ...revision } }));
}
