import { Group, Stack, Text, Title } from "@mantine/core";
import { api, data } from "@/api/client";
import type { WaitingRevision } from "@/api/types";
import { usePages } from "@/api/usePages";
import { useWhyNotDecide } from "@/api/useWhyNotDecide";
import { DecisionButtons, WhyNot } from "@/components/DecisionButtons";
import { Facts } from "@/components/Facts";
import { Pager } from "@/components/Pager";
import { Panel } from "@/components/Panel";
import { RowsLoading } from "@/components/RowsLoading";
import { Empty, Failure } from "@/components/States";
import { texts } from "@/texts";
import { dateTime } from "@/texts/format";
import { decideRevision } from "./decideRevision";

const { moderation, senders } = texts;
const EVERY_MS = 5_000;

/** The senders, and changes of senders, that somebody has to look at. */
export function WaitingSenders() {
  const whyNot = useWhyNotDecide();
  const pages = usePages({
    key: ["moderation", "senders"],
    read: (cursor) =>
      data(
        api.GET("/api/v1/moderation/senders", {
          params: { query: { limit: 50, cursor: cursor ?? null } },
        }),
      ),
    everyMs: EVERY_MS,
  });
  if (pages.error) return <Failure error={pages.error} retry={pages.refetch} />;
  if (pages.isPending) return <RowsLoading />;
  if (pages.items.length === 0) {
    return (
      <Panel>
        <Empty title={moderation.noSenders}>{moderation.noSendersText}</Empty>
      </Panel>
    );
  }
  return (
    <Stack gap="md">
      {pages.items.map((one) => (
        <Waiting key={`${one.id} ${one.number}`} waiting={one} reason={whyNot(one.submitted_by)} />
      ))}
      <Pager pages={pages} />
    </Stack>
  );
}

function Waiting({ waiting, reason }: { waiting: WaitingRevision; reason: string | null }) {
  const { id, number, name, saddr, ston, snpi, dton, dnpi } = waiting;
  return (
    <Panel>
      <article aria-label={name}>
        <Group justify="space-between" align="flex-start" mb="md">
          <div>
            <Title order={2} fz="lg">
              {name}
            </Title>
            <Text size="sm" c="dimmed">
              {moderation.revision(number)} ·{" "}
              {moderation.submittedBy(waiting.submitted_by.name, dateTime(waiting.submitted_at))}
            </Text>
          </div>
          <Stack gap={6} align="flex-end">
            <DecisionButtons
              name={name}
              reason={reason}
              decide={(verdict, note) => decideRevision(id, number, verdict, note)}
              keys={["moderation", "senders"]}
            />
            <WhyNot reason={reason} />
          </Stack>
        </Group>
        <Facts
          facts={[
            { name: moderation.appears, value: <strong>{saddr}</strong> },
            { name: moderation.workspace, value: waiting.workspace },
            { name: moderation.types, value: senders.types(ston, snpi, dton, dnpi) },
            { name: moderation.reason, value: waiting.reason ?? "–", wide: true },
          ]}
        />
      </article>
    </Panel>
  );
}
