import { Button, Group, Modal, Stack, Text, Textarea, Tooltip } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconCheck, IconX } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { texts } from "@/texts";
import { DialogButtons } from "./DialogButtons";
import { notifyDone, notifyFailure } from "./notify";

const { moderation } = texts;

export type Verdict = "approve" | "reject";

interface Parts {
  name: string;
  /** Why this person can not decide; null when they can. */
  reason: string | null;
  decide: (verdict: Verdict, note: string) => Promise<unknown>;
  /** What has changed by it. */
  keys: readonly string[];
}

/** Yes or no to something, with a note; a no needs one. */
export function DecisionButtons({ name, reason, decide, keys }: Parts) {
  const client = useQueryClient();
  const [verdict, setVerdict] = useState<Verdict>("approve");
  const [opened, dialog] = useDisclosure();
  const deciding = useMutation({
    mutationFn: (note: string) => decide(verdict, note),
    onSuccess: async () => {
      notifyDone(verdict === "approve" ? moderation.approved(name) : moderation.rejected(name));
      dialog.close();
      await Promise.all(keys.map((key) => client.invalidateQueries({ queryKey: [key] })));
    },
    onError: (error) => notifyFailure(moderation.failed, error),
  });
  const ask = (wanted: Verdict) => {
    if (reason) return;
    setVerdict(wanted);
    dialog.open();
  };
  return (
    <>
      <Group gap="xs" role="group" aria-label={name}>
        {(["approve", "reject"] as const).map((one) => (
          <Tooltip key={one} label={reason} disabled={!reason}>
            <Button
              size="sm"
              variant={one === "approve" ? "filled" : "default"}
              aria-label={
                one === "approve" ? moderation.approveOf(name) : moderation.rejectOf(name)
              }
              leftSection={
                one === "approve" ? (
                  <IconCheck size={16} aria-hidden />
                ) : (
                  <IconX size={16} aria-hidden />
                )
              }
              data-disabled={reason ? true : undefined}
              aria-disabled={reason ? true : undefined}
              onClick={() => ask(one)}
            >
              {moderation[one]}
            </Button>
          </Tooltip>
        ))}
      </Group>
      <Modal
        opened={opened}
        onClose={dialog.close}
        title={verdict === "approve" ? moderation.approveOf(name) : moderation.rejectOf(name)}
        closeButtonProps={{ "aria-label": texts.shared.close }}
      >
        <Deciding
          key={String(opened)}
          verdict={verdict}
          busy={deciding.isPending}
          onDecide={(note) => deciding.mutate(note)}
          onCancel={dialog.close}
        />
      </Modal>
    </>
  );
}

interface Dialog {
  verdict: Verdict;
  busy: boolean;
  onDecide: (note: string) => void;
  onCancel: () => void;
}

function Deciding({ verdict, busy, onDecide, onCancel }: Dialog) {
  const [note, setNote] = useState("");
  const [missing, setMissing] = useState(false);
  const isRejection = verdict === "reject";
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (isRejection && !note.trim()) setMissing(true);
    else onDecide(note.trim());
  };
  return (
    <form onSubmit={submit} noValidate>
      <Stack>
        <Textarea
          label={moderation.note}
          description={isRejection ? moderation.noteHint : moderation.noteOptional}
          value={note}
          onChange={(event) => {
            setNote(event.currentTarget.value);
            setMissing(false);
          }}
          error={missing ? moderation.noteNeeded : undefined}
          required={isRejection}
          maxLength={2000}
          autosize
          minRows={3}
          data-autofocus
        />
        <DialogButtons
          submit={moderation[verdict]}
          busy={busy}
          onCancel={onCancel}
          color={isRejection ? "red" : undefined}
        />
      </Stack>
    </form>
  );
}

/** The reason in words, below buttons that do nothing. */
export function WhyNot({ reason }: { reason: string | null }) {
  if (!reason) return null;
  return (
    <Text size="xs" c="dimmed">
      {reason}
    </Text>
  );
}
