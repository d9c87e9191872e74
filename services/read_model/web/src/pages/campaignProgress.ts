// How far a campaign is. The formulas are contract: `tests/contracts/formulas.json` has their cases, and
// the platform computes the same.
import type { Call, SmsStats, Status, VoiceStats } from "@/api/types";

export interface CampaignProgressSummary {
  processedCount: number;
  /** 0 to 100, 0 when there is nothing. */
  processedPercent: number;
  successPercent: number;
  /** Null where nobody can be connected: SMS. */
  connected: number | null;
  /** Everybody was dialled, and only wishes to be called again are left. */
  baseDiallingCompleted: boolean;
}

export function buildCampaignProgressSummary(
  stats: SmsStats | VoiceStats,
): CampaignProgressSummary {
  return "total_calls" in stats ? ofCalls(stats) : ofMessages(stats);
}

function ofCalls(stats: VoiceStats): CampaignProgressSummary {
  const processed =
    stats.completed +
    stats.failed +
    stats.abandoned +
    stats.window_closed +
    stats.manual_stopped +
    stats.machine_detected_count;
  const { total_calls: total, callback_pending: callbacks } = stats;
  return {
    processedCount: processed,
    processedPercent: clamped(percent(processed, total)),
    successPercent: percent(stats.completed, total),
    connected: stats.connected,
    baseDiallingCompleted: processed + callbacks >= total && callbacks > 0,
  };
}

function ofMessages(stats: SmsStats): CampaignProgressSummary {
  const processed = stats.delivered + stats.failed + stats.skipped;
  return {
    processedCount: processed,
    processedPercent: clamped(percent(processed, stats.total)),
    successPercent: percent(stats.delivered, stats.total),
    connected: null,
    baseDiallingCompleted: false,
  };
}

const percent = (part: number, whole: number) => (whole > 0 ? (part * 100) / whole : 0);
const clamped = (value: number) => Math.min(100, Math.max(0, value));

const LIVE: ReadonlySet<Call["status"]> = new Set([
  "leased",
  "dialling",
  "ringing",
  "amd_screening",
  "attaching",
  "in_progress",
  "_processing",
  "callback_scheduled",
] as const);

/** Whether a voice campaign may change by itself: it runs, or one of its calls is on its way. */
export function shouldPollCampaignCalls(
  status: Status,
  calls: readonly Pick<Call, "status">[] | Pick<VoiceStats, "live" | "callback_pending">,
): boolean {
  if (status === "running") return true;
  if ("live" in calls) return calls.live > 0 || calls.callback_pending > 0;
  return calls.some((call) => LIVE.has(call.status));
}

type Rates = Pick<VoiceStats, "attempt_answer_rate" | "connect_rate" | "completion_rate">;

/** The answer rate that is shown; null when nobody was rung yet. */
export const answerRate = (stats: Rates) => stats.attempt_answer_rate ?? stats.connect_rate;

/** The completion that is shown; null when there is nobody to call. */
export const completionRate = (stats: Rates) => stats.completion_rate ?? stats.connect_rate;
