// Every setting of a campaign as people read it; the detail page and the wizard's review show them.
import { Text } from "@mantine/core";
import type { SmsCampaign, VoiceCampaign } from "@/api/types";
import type { Fact } from "@/components/Facts";
import { texts } from "@/texts";
import { count, dateTime, share } from "@/texts/format";

const { detail, calling } = texts;
const names = detail.settings;

const yesOrNo = (is: boolean) => (is ? names.yes : names.no);

type SmsSettings = Pick<
  SmsCampaign,
  "text" | "mode" | "starts_at" | "ends_at" | "daily_window" | "auto_start" | "default_region"
>;
type VoiceSettings = Pick<
  VoiceCampaign,
  | "destination"
  | "caller_ids"
  | "concurrency_limit"
  | "cps_limit"
  | "pacing"
  | "abandon"
  | "dial_timeout_s"
  | "contact_caps"
  | "campaign_mode"
  | "time_window"
  | "respect_contact_timezone"
  | "redial_rules"
  | "callback_detection"
  | "amd"
  | "always_on"
  | "default_region"
>;

/** The settings of an SMS campaign; `sender` and `link` as people know them. */
export function smsFacts(settings: SmsSettings, sender: string, link: string): Fact[] {
  const window = settings.daily_window;
  return [
    {
      name: names.message,
      value: <Text style={{ whiteSpace: "pre-wrap" }}>{settings.text}</Text>,
      wide: true,
    },
    { name: names.sender, value: sender },
    { name: names.link, value: link },
    { name: names.mode, value: calling.modes[settings.mode] },
    { name: names.starts, value: dateTime(settings.starts_at ?? null) },
    { name: names.ends, value: dateTime(settings.ends_at ?? null) },
    {
      name: names.dailyWindow,
      value: window ? `${window.start} – ${window.end}, ${window.timezone}` : names.always,
    },
    { name: names.autoStart, value: yesOrNo(settings.auto_start) },
    { name: names.region, value: settings.default_region ?? "–" },
  ];
}

/** The settings of a voice campaign. */
export function voiceFacts(settings: VoiceSettings): Fact[] {
  return [...placing(settings), ...timing(settings), ...repeating(settings)];
}

function placing(settings: VoiceSettings): Fact[] {
  const { abandon, amd } = settings;
  return [
    { name: names.destination, value: settings.destination },
    { name: names.callerIds, value: settings.caller_ids.join(", ") || "–" },
    { name: names.seats, value: count(settings.concurrency_limit) },
    { name: names.cps, value: String(settings.cps_limit) },
    { name: names.pacing, value: calling.pacing[settings.pacing] },
    {
      name: names.abandon,
      value: names.abandonOf(share(abandon.limit), calling.windows[abandon.window]),
    },
    { name: names.wait, value: names.seconds(abandon.max_wait_s) },
    { name: names.dialTimeout, value: names.seconds(settings.dial_timeout_s) },
    {
      name: names.amd,
      value: amd.enabled
        ? names.amdOf(
            amd.total_analysis_ms,
            calling.machineActions[amd.action_on_machine],
            calling.machineActions[amd.action_on_unknown],
          )
        : names.off,
    },
  ];
}

function timing(settings: VoiceSettings): Fact[] {
  const window = settings.time_window;
  const days = window.days.map((day) => calling.days[day]).join(", ");
  return [
    { name: names.campaignMode, value: calling.campaignModes[settings.campaign_mode] },
    {
      name: names.window,
      value: `${window.start} – ${window.end}, ${window.timezone} · ${days || "–"}`,
    },
    { name: names.contactZone, value: yesOrNo(settings.respect_contact_timezone) },
    { name: names.alwaysOn, value: yesOrNo(settings.always_on) },
    { name: names.region, value: settings.default_region ?? "–" },
  ];
}

function repeating(settings: VoiceSettings): Fact[] {
  const rules = settings.redial_rules;
  const caps = settings.contact_caps.map(({ calls, hours }) => names.capOf(calls, hours));
  return [
    { name: names.attempts, value: count(rules.max_attempts) },
    { name: names.delay, value: names.minutes(rules.retry_delay_minutes) },
    {
      name: names.retryOn,
      value: rules.retry_on_system.map((one) => calling.outcomes[one]).join(", ") || "–",
    },
    { name: names.retryOnCustom, value: rules.retry_on_custom.join(", ") || "–" },
    { name: names.callbacks, value: yesOrNo(settings.callback_detection.enabled) },
    { name: names.caps, value: caps.join(", ") || names.noCaps },
  ];
}
