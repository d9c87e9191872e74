import { Alert, Badge, Button, Group, Text } from "@mantine/core";
import { IconAlertTriangle, IconClock, IconShieldCheck, IconUpload } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { Link } from "react-router";
import type { Campaign } from "@/api/types";
import { CopyId } from "@/components/CopyId";
import { texts } from "@/texts";
import { dateTime } from "@/texts/format";

const { detail } = texts;

/** Who made it, when, and what it is called in full. */
export function Origin({ campaign }: { campaign: Campaign }) {
  const { author, created_at, restarted, archived, channel } = campaign;
  return (
    <Group gap="xs" mb="md" mt={-12} c="dimmed" fz="sm">
      <CopyId id={campaign.id} />
      <span aria-hidden>·</span>
      <Text inherit>{texts.shared.channels[channel]}</Text>
      <span aria-hidden>·</span>
      <Text inherit>{detail.createdBy(author.name, dateTime(created_at))}</Text>
      {restarted && (
        <>
          <span aria-hidden>·</span>
          <Text inherit>{detail.restartedBy(restarted.by.name, dateTime(restarted.at))}</Text>
        </>
      )}
      {archived && <Badge color="gray">{detail.archived}</Badge>}
    </Group>
  );
}

interface Word {
  title: string;
  text: string;
  color: string;
  icon: typeof IconClock;
  way?: ReactNode;
}

/** What somebody should know before anything else: what it waits for, or why it ended. */
export function Notice({ campaign }: { campaign: Campaign }) {
  const word = wordOn(campaign);
  if (!word) return null;
  const { icon: Icon } = word;
  return (
    <Alert
      mb="md"
      color={word.color}
      variant="light"
      title={word.title}
      icon={<Icon aria-hidden />}
    >
      <Group justify="space-between" gap="sm">
        <Text size="sm">{word.text}</Text>
        {word.way}
      </Group>
    </Alert>
  );
}

function wordOn(campaign: Campaign): Word | null {
  const { status, reason } = campaign;
  if (reason && (status === "failed" || status === "cancelled" || status === "expired")) {
    const title = status === "failed" ? detail.failedTitle : detail.endedTitle;
    return { title, text: sentence(reason), color: "red", icon: IconAlertTriangle };
  }
  if (campaign.channel === "sms") return wordOnSms(campaign);
  return status === "draft" && !campaign.contacts ? needsContacts(campaign) : null;
}

function wordOnSms(campaign: Extract<Campaign, { channel: "sms" }>): Word | null {
  const { status, starts_at, paused_until, mode } = campaign;
  if (status === "new" && !campaign.contacts && mode !== "trigger") return needsContacts(campaign);
  if (status === "new") {
    return {
      title: detail.waits,
      text: detail.waitsText,
      color: "violet",
      icon: IconShieldCheck,
      way: <Way to="/dashboard/moderation">{detail.toModeration}</Way>,
    };
  }
  if (status === "paused" && paused_until) {
    const text = detail.pausedUntil(dateTime(paused_until));
    return { title: detail.pausedTitle, text, color: "amber", icon: IconClock };
  }
  if (status !== "pending") return null;
  return starts_at && Date.parse(starts_at) > Date.now()
    ? {
        title: detail.scheduled,
        text: detail.due(dateTime(starts_at)),
        color: "cyan",
        icon: IconClock,
      }
    : campaign.auto_start
      ? null
      : {
          title: detail.waitsForStart,
          text: detail.waitsForStartText,
          color: "cyan",
          icon: IconClock,
        };
}

function needsContacts(campaign: Campaign): Word {
  const canEdit = campaign.actions.includes("edit");
  return {
    title: detail.needsContacts,
    text: campaign.channel === "sms" ? detail.needsContactsText : detail.needsContactsVoice,
    color: "amber",
    icon: IconUpload,
    way: canEdit && (
      <Way to={`/dashboard/campaigns/${campaign.id}/edit?step=audience`}>{detail.upload}</Way>
    ),
  };
}

function Way({ to, children }: { to: string; children: ReactNode }) {
  return (
    <Button component={Link} to={to} size="xs" variant="default">
      {children}
    </Button>
  );
}

/** The platform's reasons begin small and end without a stop. */
function sentence(reason: string): string {
  return `${reason.charAt(0).toUpperCase()}${reason.slice(1)}.`;
}
