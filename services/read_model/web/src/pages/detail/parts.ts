// What a campaign's numbers are made of, for its bar: in the order in which contacts go through them.
import type { Call, Message, SmsStats, VoiceStats } from "@/api/types";
import type { Part } from "@/components/Shares";
import { texts } from "@/texts";

const { parts, figures } = texts.detail;

/** The messages of a campaign; every one is in exactly one part. */
export function messageParts(stats: SmsStats): Part[] {
  return [
    { label: figures.delivered, value: stats.delivered, color: "green" },
    { label: figures.inFlight, value: stats.submitting + stats.submitted, color: "blue" },
    { label: figures.failed, value: stats.failed, color: "red" },
    { label: figures.skipped, value: stats.skipped, color: "amber" },
    { label: figures.queued, value: stats.queued, color: null },
  ];
}

/** The calls of a run; every one is in exactly one part. */
export function callParts(stats: VoiceStats): Part[] {
  const all: Part[] = [
    { label: parts.completed, value: stats.completed, color: "green" },
    { label: parts.machine, value: stats.machine_detected_count, color: "violet" },
    { label: parts.failed, value: stats.failed, color: "red" },
    { label: parts.abandoned, value: stats.abandoned, color: "amber" },
    { label: parts.window_closed, value: stats.window_closed, color: "dark" },
    { label: parts.manual_stopped, value: stats.manual_stopped, color: "dark" },
    { label: parts.live, value: stats.live, color: "teal" },
    { label: parts.callback, value: stats.callback_pending, color: "blue" },
    { label: parts.retry, value: stats.retry_pending, color: "cyan" },
    { label: parts.pending, value: stats.pending, color: null },
  ];
  const seldom: readonly string[] = [parts.abandoned, parts.window_closed, parts.manual_stopped];
  return all.filter((part) => part.value > 0 || !seldom.includes(part.label));
}

export const MESSAGE_COLORS: Record<Message["status"], string> = {
  queued: "gray",
  submitting: "cyan",
  submitted: "blue",
  delivered: "green",
  failed: "red",
  skipped: "amber",
};

export const CALL_COLORS: Record<Call["status"], string> = {
  pending: "gray",
  retry_scheduled: "cyan",
  callback_scheduled: "blue",
  leased: "teal",
  dialling: "teal",
  ringing: "teal",
  amd_screening: "teal",
  attaching: "teal",
  in_progress: "teal",
  _processing: "teal",
  completed: "green",
  failed: "red",
  abandoned: "amber",
  machine_detected: "violet",
  window_closed: "gray",
  manual_stopped: "gray",
};

/** The states of a call as people choose among them. */
export const CALL_STATUSES: Record<"waiting" | "live" | "final", readonly Call["status"][]> = {
  waiting: ["pending", "retry_scheduled", "callback_scheduled"],
  live: [
    "leased",
    "dialling",
    "ringing",
    "amd_screening",
    "attaching",
    "in_progress",
    "_processing",
  ],
  final: [
    "completed",
    "failed",
    "abandoned",
    "machine_detected",
    "window_closed",
    "manual_stopped",
  ],
};
export const MESSAGE_STATUSES = Object.keys(MESSAGE_COLORS) as readonly Message["status"][];
