import { Badge, Button, Group, Stack, Text, Timeline, Title } from "@mantine/core";
import { modals } from "@mantine/modals";
import { IconArchive, IconPencil } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { api, data } from "@/api/client";
import type { Sender } from "@/api/types";
import { useWhyNotDecide } from "@/api/useWhyNotDecide";
import { useMay } from "@/auth/session";
import { DecisionButtons, WhyNot } from "@/components/DecisionButtons";
import { notifyDone, notifyFailure } from "@/components/notify";
import { Panel } from "@/components/Panel";
import { tint } from "@/components/tint";
import { decideRevision } from "@/pages/moderation/decideRevision";
import { texts } from "@/texts";

const { senders } = texts;
const COLORS: Record<Sender["status"], string> = {
  draft: "gray",
  pending_approval: "amber",
  approved: "green",
  rejected: "red",
  archived: "gray",
};

/** A sender, and everything that was ever asked for it. */
export function SenderCard({ sender, onRevise }: { sender: Sender; onRevise: () => void }) {
  const mayRevise = useMay("senders") && sender.status !== "archived";
  const mayArchive = useMay("administer") && sender.status !== "archived";
  const archive = useArchive(sender);
  const current = sender.revisions.find((one) => one.number === sender.current_revision);
  return (
    <Panel>
      <article aria-label={sender.name}>
        <Group justify="space-between" align="flex-start" mb="md">
          <div>
            <Group gap="sm">
              <Title order={2} fz="lg">
                {sender.name}
              </Title>
              <Badge style={tint(COLORS[sender.status])}>{senders.statuses[sender.status]}</Badge>
            </Group>
            <Text size="sm" c="dimmed">
              {current ? `${senders.saddr} ${current.saddr}` : senders.noCurrent}
            </Text>
          </div>
          <Group gap="xs">
            {mayRevise && (
              <Button
                size="xs"
                variant="default"
                aria-label={senders.reviseOf(sender.name)}
                leftSection={<IconPencil size={14} aria-hidden />}
                onClick={onRevise}
              >
                {senders.revise}
              </Button>
            )}
            {mayArchive && (
              <Button
                size="xs"
                variant="default"
                aria-label={senders.archiveOf(sender.name)}
                leftSection={<IconArchive size={14} aria-hidden />}
                loading={archive.isPending}
                onClick={() => confirmed(sender.name, () => archive.mutate())}
              >
                {senders.archive}
              </Button>
            )}
          </Group>
        </Group>
        <Revisions sender={sender} />
      </article>
    </Panel>
  );
}

function Revisions({ sender }: { sender: Sender }) {
  const whyNot = useWhyNotDecide();
  const mayModerate = useMay("moderate");
  const newestFirst = [...sender.revisions].reverse();
  return (
    <Timeline
      bulletSize={14}
      lineWidth={2}
      role="list"
      aria-label={senders.revisionsOf(sender.name)}
    >
      {newestFirst.map((revision) => {
        const isPending = revision.status === "pending_approval";
        const reason = whyNot(revision.submitted_by);
        return (
          <Timeline.Item
            key={revision.number}
            role="listitem"
            title={
              <Group gap="xs" component="span">
                <span>{revision.saddr}</span>
                <Badge style={tint(COLORS[revision.status])}>
                  {senders.statuses[revision.status]}
                </Badge>
                {revision.number === sender.current_revision && (
                  <Badge style={tint("teal")}>{senders.current}</Badge>
                )}
              </Group>
            }
          >
            <Text size="sm" c="dimmed">
              {senders.revision(revision.number)} {senders.by(revision.submitted_by.name)} ·{" "}
              {senders.types(revision.ston, revision.snpi, revision.dton, revision.dnpi)}
            </Text>
            {revision.reason && <Text size="sm">{revision.reason}</Text>}
            {revision.note && <Text size="sm">“{revision.note}”</Text>}
            {isPending && mayModerate && sender.status !== "archived" && (
              <Stack gap={6} mt="xs">
                <DecisionButtons
                  name={`${sender.name}, ${senders.revision(revision.number)}`}
                  reason={reason}
                  decide={(verdict, note) =>
                    decideRevision(sender.id, revision.number, verdict, note)
                  }
                  keys={["senders", "moderation"]}
                />
                <WhyNot reason={reason} />
              </Stack>
            )}
          </Timeline.Item>
        );
      })}
    </Timeline>
  );
}

function useArchive(sender: Sender) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: () =>
      data(
        api.POST("/api/v1/senders/{sender_id}/archive", {
          params: { path: { sender_id: sender.id } },
        }),
      ),
    onSuccess: async () => {
      notifyDone(senders.archived(sender.name));
      await client.invalidateQueries({ queryKey: ["senders"] });
    },
    onError: (error) => notifyFailure(senders.failed, error),
  });
}

function confirmed(name: string, carryOut: () => void): void {
  modals.openConfirmModal({
    title: senders.archiveTitle,
    children: <Text size="sm">{senders.archiveText(name)}</Text>,
    labels: { confirm: senders.archiveConfirm, cancel: texts.shared.cancel },
    confirmProps: { color: "red" },
    onConfirm: carryOut,
  });
}
