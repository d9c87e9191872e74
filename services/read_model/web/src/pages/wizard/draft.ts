// What the wizard holds while somebody fills it in. Field names are those of the API, so that what it
// finds wrong lands on its field.
import type { components } from "@/api/schema";
import type { Campaign, Channel } from "@/api/types";

type SmsBody = components["schemas"]["SmsCampaignBody"];
type VoiceBody = components["schemas"]["VoiceCampaignBody"];
export type Body = SmsBody | VoiceBody;

/** A number field may be empty for a while. */
type Numbered = number | string;

export interface Draft {
  channel: Channel | "";
  name: string;
  default_region: string;
  text: string;
  sender_id: string;
  link_id: string;
  mode: SmsBody["mode"];
  /** Local time, as a browser's field has it; empty for none. */
  starts_at: string;
  ends_at: string;
  windowed: boolean;
  daily_window: { start: string; end: string; timezone: string };
  auto_start: boolean;
  destination: string;
  caller_ids: string[];
  concurrency_limit: Numbered;
  cps_limit: Numbered;
  pacing: VoiceBody["pacing"];
  /** `limit` in percent. */
  abandon: { limit: Numbered; window: VoiceBody["abandon"]["window"]; max_wait_s: Numbered };
  dial_timeout_s: Numbered;
  contact_caps: { calls: Numbered; hours: Numbered }[];
  campaign_mode: VoiceBody["campaign_mode"];
  time_window: VoiceBody["time_window"];
  respect_contact_timezone: boolean;
  redial_rules: {
    max_attempts: Numbered;
    retry_delay_minutes: Numbered;
    retry_on_system: VoiceBody["redial_rules"]["retry_on_system"];
    retry_on_custom: string[];
  };
  callback_detection: { enabled: boolean };
  amd: {
    enabled: boolean;
    total_analysis_ms: Numbered;
    action_on_machine: VoiceBody["amd"]["action_on_machine"];
    action_on_unknown: VoiceBody["amd"]["action_on_unknown"];
  };
  always_on: boolean;
}

/** A campaign that nobody has said anything about; every setting as the platform would choose it. */
export function emptyDraft(timezone: string): Draft {
  return {
    channel: "",
    name: "",
    default_region: "",
    text: "",
    sender_id: "",
    link_id: "",
    mode: "on_demand",
    starts_at: "",
    ends_at: "",
    windowed: false,
    daily_window: { start: "09:00", end: "18:00", timezone },
    auto_start: true,
    destination: "",
    caller_ids: [],
    concurrency_limit: 50,
    cps_limit: 10,
    pacing: "predictive",
    abandon: { limit: 3, window: "campaign", max_wait_s: 2 },
    dial_timeout_s: 25,
    contact_caps: [],
    campaign_mode: "single_day",
    time_window: {
      start: "09:00",
      end: "18:00",
      timezone,
      days: ["mon", "tue", "wed", "thu", "fri", "sat", "sun"],
    },
    respect_contact_timezone: false,
    redial_rules: {
      max_attempts: 3,
      retry_delay_minutes: 30,
      retry_on_system: ["no_answer", "rejected", "busy", "error", "timeout"],
      retry_on_custom: [],
    },
    callback_detection: { enabled: false },
    amd: {
      enabled: false,
      total_analysis_ms: 5000,
      action_on_machine: "teardown",
      action_on_unknown: "continue",
    },
    always_on: false,
  };
}

/** A campaign as it is, to be changed. */
export function draftOf(campaign: Campaign, timezone: string): Draft {
  const empty = emptyDraft(timezone);
  const shared = {
    channel: campaign.channel,
    name: campaign.name,
    default_region: campaign.default_region ?? "",
  };
  if (campaign.channel === "sms") {
    return {
      ...empty,
      ...shared,
      text: campaign.text,
      sender_id: campaign.sender_id,
      link_id: campaign.link_id,
      mode: campaign.mode,
      starts_at: localOf(campaign.starts_at ?? null),
      ends_at: localOf(campaign.ends_at ?? null),
      windowed: Boolean(campaign.daily_window),
      daily_window: campaign.daily_window ?? empty.daily_window,
      auto_start: campaign.auto_start,
    };
  }
  return {
    ...empty,
    ...shared,
    destination: campaign.destination,
    caller_ids: campaign.caller_ids,
    concurrency_limit: campaign.concurrency_limit,
    cps_limit: campaign.cps_limit,
    pacing: campaign.pacing,
    abandon: { ...campaign.abandon, limit: percentOf(campaign.abandon.limit) },
    dial_timeout_s: campaign.dial_timeout_s,
    contact_caps: campaign.contact_caps,
    campaign_mode: campaign.campaign_mode,
    time_window: campaign.time_window,
    respect_contact_timezone: campaign.respect_contact_timezone,
    redial_rules: campaign.redial_rules,
    callback_detection: campaign.callback_detection,
    amd: campaign.amd,
    always_on: campaign.always_on,
  };
}

/** The settings of its channel, as the API takes them. */
export function bodyOf(draft: Draft): Body {
  return draft.channel === "voice" ? voiceBody(draft) : smsBody(draft);
}

function smsBody(draft: Draft): SmsBody {
  return {
    channel: "sms",
    name: draft.name.trim(),
    text: draft.text,
    sender_id: draft.sender_id,
    link_id: draft.link_id,
    mode: draft.mode,
    starts_at: instantOf(draft.starts_at),
    ends_at: instantOf(draft.ends_at),
    daily_window: draft.windowed ? draft.daily_window : null,
    auto_start: draft.auto_start,
    default_region: draft.default_region || null,
  };
}

function voiceBody(draft: Draft): VoiceBody {
  return {
    channel: "voice",
    name: draft.name.trim(),
    destination: draft.destination.trim(),
    caller_ids: draft.caller_ids,
    concurrency_limit: Number(draft.concurrency_limit),
    cps_limit: Number(draft.cps_limit),
    pacing: draft.pacing,
    abandon: {
      limit: Math.round(Number(draft.abandon.limit) * 1e4) / 1e6,
      window: draft.abandon.window,
      max_wait_s: Number(draft.abandon.max_wait_s),
    },
    dial_timeout_s: Number(draft.dial_timeout_s),
    contact_caps: draft.contact_caps.map(({ calls, hours }) => ({
      calls: Number(calls),
      hours: Number(hours),
    })),
    campaign_mode: draft.campaign_mode,
    time_window: draft.time_window,
    respect_contact_timezone: draft.respect_contact_timezone,
    redial_rules: {
      ...draft.redial_rules,
      max_attempts: Number(draft.redial_rules.max_attempts),
      retry_delay_minutes: Number(draft.redial_rules.retry_delay_minutes),
    },
    callback_detection: draft.callback_detection,
    amd: { ...draft.amd, total_analysis_ms: Number(draft.amd.total_analysis_ms) },
    always_on: draft.always_on,
    default_region: draft.default_region || null,
  };
}

/** The settings that differ; the channel never does. */
export function changesOf(before: Partial<Body>, after: Body): Partial<Body> {
  const known = before as unknown as Record<string, unknown>;
  return Object.fromEntries(
    Object.entries(after).filter(
      ([name, value]) =>
        name !== "channel" && JSON.stringify(known[name]) !== JSON.stringify(value),
    ),
  );
}

/** A moment as a browser's field for local times has it. */
export function localOf(moment: string | null): string {
  if (moment === null) return "";
  const at = new Date(moment);
  const two = (value: number) => String(value).padStart(2, "0");
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${day}T${two(at.getHours())}:${two(at.getMinutes())}`;
}

function instantOf(local: string): string | null {
  const at = new Date(local);
  return local === "" || Number.isNaN(at.getTime()) ? null : at.toISOString();
}

const percentOf = (share: number) => Math.round(share * 1e6) / 1e4;
