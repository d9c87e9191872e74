// Which steps there are, and which fields belong to them.
import { texts } from "@/texts";
import type { Draft } from "./draft";

export type Step = keyof typeof texts.wizard.steps;

const SMS: readonly Step[] = [
  "channel",
  "details",
  "sender",
  "message",
  "audience",
  "schedule",
  "review",
];
const VOICE: readonly Step[] = [
  "channel",
  "details",
  "callers",
  "audience",
  "dialler",
  "schedule",
  "review",
];

/** The steps of a channel, in order. */
export function stepsOf(channel: Draft["channel"]): readonly Step[] {
  return channel === "voice" ? VOICE : SMS;
}

const FIELDS: Record<string, Step> = {
  channel: "channel",
  name: "details",
  default_region: "details",
  sender_id: "sender",
  link_id: "sender",
  caller_ids: "callers",
  destination: "callers",
  text: "message",
  mode: "schedule",
  starts_at: "schedule",
  ends_at: "schedule",
  daily_window: "schedule",
  auto_start: "schedule",
  campaign_mode: "schedule",
  time_window: "schedule",
  respect_contact_timezone: "schedule",
};

/** The step that a field, by its path, stands in. */
export function stepOf(field: string): Step {
  return FIELDS[field.split(".")[0] ?? ""] ?? "dialler";
}

export type Mistakes = Record<string, string>;

/** What is missing in a draft, by field; all else the platform finds. */
export function mistakesOf(draft: Draft): Mistakes {
  const { needed } = texts.wizard;
  const found: Mistakes = {};
  const demand = (field: keyof typeof needed & keyof Draft, value: string) => {
    if (!value.trim()) found[field] = needed[field];
  };
  demand("channel", draft.channel);
  demand("name", draft.name);
  if (draft.channel === "sms") {
    demand("sender_id", draft.sender_id);
    demand("link_id", draft.link_id);
    demand("text", draft.text);
    if (draft.mode === "on_time" || draft.mode === "spread") demand("starts_at", draft.starts_at);
    if (draft.mode === "spread") demand("ends_at", draft.ends_at);
  }
  if (draft.channel === "voice") {
    demand("destination", draft.destination);
    for (const [field, value] of numbersOf(draft)) {
      if (value === "") found[field] = needed.number;
    }
  }
  return found;
}

function numbersOf(draft: Draft): [string, number | string][] {
  return [
    ["concurrency_limit", draft.concurrency_limit],
    ["cps_limit", draft.cps_limit],
    ["dial_timeout_s", draft.dial_timeout_s],
    ["abandon.limit", draft.abandon.limit],
    ["abandon.max_wait_s", draft.abandon.max_wait_s],
    ["redial_rules.max_attempts", draft.redial_rules.max_attempts],
    ["redial_rules.retry_delay_minutes", draft.redial_rules.retry_delay_minutes],
    ["amd.total_analysis_ms", draft.amd.total_analysis_ms],
    ...draft.contact_caps.flatMap(({ calls, hours }, place): [string, number | string][] => [
      [`contact_caps.${place}.calls`, calls],
      [`contact_caps.${place}.hours`, hours],
    ]),
  ];
}

/** The mistakes of one step only. */
export function inStep(mistakes: Mistakes, step: Step): Mistakes {
  return Object.fromEntries(Object.entries(mistakes).filter(([field]) => stepOf(field) === step));
}

/**
 * A refusal of the platform, by field. Rules that are told in a sentence name their field in it:
 * "ends_at has passed already", "mode on_time needs starts_at".
 */
export function mistakesIn(
  fields: ReadonlyMap<string, string>,
  reasons: readonly string[],
): Mistakes {
  const found: Mistakes = Object.fromEntries([...fields].filter(([field]) => field !== "body"));
  for (const reason of reasons) {
    const words = reason.split(/[\s:]+/);
    const named = words.filter((word) => word in FIELDS);
    const field = / needs /.test(reason) ? named.at(-1) : named[0];
    if (field) found[field] = found[field] ? `${found[field]}; ${reason}` : reason;
  }
  return found;
}
