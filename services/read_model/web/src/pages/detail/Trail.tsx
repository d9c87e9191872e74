import { Badge, Drawer, Group, Stack, Text, Timeline } from "@mantine/core";
import { IconPhone, IconPhoneCall, IconPhoneX } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { api, data } from "@/api/client";
import type { Attempt, Call } from "@/api/types";
import { type Fact, Facts } from "@/components/Facts";
import { RowsLoading } from "@/components/RowsLoading";
import { Empty, Failure } from "@/components/States";
import { tint } from "@/components/tint";
import { texts } from "@/texts";
import { between, duration } from "@/texts/duration";
import { dateTime } from "@/texts/format";
import { CALL_COLORS } from "./parts";

const { detail, calling } = texts;

interface Parts {
  campaign: string;
  /** The call whose trail is shown; null for none. */
  call: Call | null;
  everyMs: number | false;
  onClose: () => void;
}

/** Every attempt to reach a contact, one below the other. */
export function Trail({ campaign, call, everyMs, onClose }: Parts) {
  const {
    data: found,
    error,
    isPending,
    refetch,
  } = useQuery({
    queryKey: ["campaign", campaign, "attempts", call?.id, call?.attempts],
    queryFn: () =>
      data(
        api.GET("/api/v1/campaigns/{campaign_id}/calls/{call_id}/attempts", {
          params: { path: { campaign_id: campaign, call_id: call?.id ?? "" } },
        }),
      ),
    enabled: call !== null,
    refetchInterval: everyMs,
    placeholderData: (known, query) => (query?.queryKey[3] === call?.id ? known : undefined),
  });
  return (
    <Drawer
      opened={call !== null}
      onClose={onClose}
      position="right"
      size="md"
      title={
        <Text fw={650} component="span">
          {detail.trailOf(call?.phone ?? detail.erased)}
        </Text>
      }
      closeButtonProps={{ "aria-label": texts.shared.close }}
    >
      {call && (
        <Stack gap="lg">
          <About call={call} />
          {error ? (
            <Failure error={error} retry={refetch} />
          ) : isPending ? (
            <RowsLoading rows={3} />
          ) : found.items.length === 0 ? (
            <Empty title={detail.noAttempts} icon={<IconPhone aria-hidden />} />
          ) : (
            <Attempts attempts={found.items} />
          )}
        </Stack>
      )}
    </Drawer>
  );
}

function About({ call }: { call: Call }) {
  const variables: Fact[] = Object.entries(call.variables).map(([name, value]) => ({
    name,
    value: value || "–",
  }));
  return (
    <Stack gap="sm">
      <Group gap="xs">
        <Badge style={tint(CALL_COLORS[call.status])}>{calling.callStatuses[call.status]}</Badge>
        {call.next_attempt_at && !call.callback && (
          <Text size="sm" c="dimmed">
            {detail.nextAttempt(dateTime(call.next_attempt_at))}
          </Text>
        )}
      </Group>
      {call.callback && (
        <Text size="sm">{detail.callbackWished(dateTime(call.callback.due_at))}</Text>
      )}
      {variables.length > 0 && <Facts narrow facts={variables} />}
    </Stack>
  );
}

const OUTCOME_COLORS: Record<NonNullable<Attempt["outcome"]>, string> = {
  connected: "green",
  abandoned: "amber",
  machine: "violet",
  no_answer: "gray",
  rejected: "gray",
  busy: "gray",
  error: "red",
  timeout: "gray",
};

function Attempts({ attempts }: { attempts: readonly Attempt[] }) {
  return (
    <Timeline
      bulletSize={28}
      lineWidth={2}
      aria-label={detail.trail}
      role="list"
      active={attempts.length}
      color="gray"
    >
      {attempts.map((attempt) => (
        <Timeline.Item
          key={attempt.sequence}
          role="listitem"
          bullet={<Bullet attempt={attempt} />}
          title={
            <Group gap="xs" component="span">
              <span>{detail.attempt(attempt.sequence)}</span>
              <Badge style={tint(attempt.kind === "callback" ? "blue" : "gray")}>
                {calling.kinds[attempt.kind]}
              </Badge>
              <Badge style={tint(attempt.outcome ? OUTCOME_COLORS[attempt.outcome] : "teal")}>
                {attempt.outcome ? calling.outcomes[attempt.outcome] : detail.underWay}
              </Badge>
            </Group>
          }
        >
          <Text size="sm" c="dimmed" mb="xs">
            <time dateTime={attempt.started_at}>{dateTime(attempt.started_at)}</time>
          </Text>
          <Facts narrow facts={factsOf(attempt)} />
        </Timeline.Item>
      ))}
    </Timeline>
  );
}

function Bullet({ attempt }: { attempt: Attempt }) {
  const Icon =
    attempt.outcome === null ? IconPhone : attempt.answered_at ? IconPhoneCall : IconPhoneX;
  return <Icon size={16} aria-hidden />;
}

function factsOf(attempt: Attempt): Fact[] {
  const { started_at, ringing_at, answered_at, ended_at } = attempt;
  const spans: [string, number | null][] = [
    [detail.rang, between(started_at, ringing_at)],
    [detail.answered, between(ringing_at ?? started_at, answered_at)],
    [detail.lasted, between(started_at, ended_at)],
  ];
  const words: [string, string | null][] = [
    [detail.screened, attempt.amd && calling.screened[attempt.amd]],
    [detail.disposition, attempt.disposition],
    [detail.cause, attempt.hangup_cause],
  ];
  return [
    { name: detail.callerId, value: attempt.caller_id },
    ...spans.flatMap(([name, span]) => (span === null ? [] : [{ name, value: duration(span) }])),
    ...words.flatMap(([name, value]) => (value === null ? [] : [{ name, value }])),
  ];
}
