// Words of telephony and of settings, which the detail page, the wizard and moderation all use.
import type { Attempt, Call, Message, SmsCampaign, VoiceCampaign } from "@/api/types";

const messageStatuses: Record<Message["status"], string> = {
  queued: "Queued",
  submitting: "Submitting",
  submitted: "Submitted",
  delivered: "Delivered",
  failed: "Failed",
  skipped: "Skipped",
};

const callStatuses: Record<Call["status"], string> = {
  pending: "Pending",
  retry_scheduled: "Retry scheduled",
  callback_scheduled: "Callback scheduled",
  leased: "Taken by the dialler",
  dialling: "Dialling",
  ringing: "Ringing",
  amd_screening: "Screening for a machine",
  attaching: "Connecting to a seat",
  in_progress: "In conversation",
  _processing: "Finishing",
  completed: "Completed",
  failed: "Failed",
  abandoned: "Abandoned",
  machine_detected: "Machine",
  window_closed: "Window closed",
  manual_stopped: "Stopped",
};

const outcomes: Record<NonNullable<Attempt["outcome"]>, string> = {
  connected: "Connected",
  abandoned: "Abandoned",
  machine: "Machine",
  no_answer: "No answer",
  rejected: "Rejected",
  busy: "Busy",
  error: "Error",
  timeout: "Timeout",
};

const kinds: Record<Attempt["kind"], string> = {
  first: "First call",
  retry: "Retry",
  callback: "Callback",
};

const modes: Record<SmsCampaign["mode"], string> = {
  on_demand: "At once",
  on_time: "At a set time",
  spread: "Spread over days",
  trigger: "By trigger",
};

const modeTexts: Record<SmsCampaign["mode"], string> = {
  on_demand: "Goes to everybody as soon as it is approved.",
  on_time: "Goes to everybody at the time you set.",
  spread: "A portion every day until the end; nobody gets more than one.",
  trigger: "No upload: your systems send contacts one by one through the API.",
};

const days: Record<VoiceCampaign["time_window"]["days"][number], string> = {
  mon: "Mon",
  tue: "Tue",
  wed: "Wed",
  thu: "Thu",
  fri: "Fri",
  sat: "Sat",
  sun: "Sun",
};

export const calling = {
  messageStatuses,
  callStatuses,
  outcomes,
  kinds,
  modes,
  modeTexts,
  days,
  pacing: { predictive: "Predictive", progressive: "Progressive" },
  pacingTexts: {
    predictive: "Dials ahead so that seats stay busy, within the limit of abandoned calls.",
    progressive: "One call for each free seat. Nobody is abandoned, seats wait longer.",
  },
  campaignModes: { single_day: "A single day", continuous: "Until everybody is reached" },
  campaignModeTexts: {
    single_day: "What still waits when the window closes is not called.",
    continuous: "Goes on whenever the window is open, day after day.",
  },
  windows: { campaign: "the campaign", "24h": "24 hours", "30d": "30 days" },
  machineActions: { teardown: "Hang up", continue: "Connect it all the same" },
  screened: { human: "A person", machine: "A machine", unknown: "Not sure" },
};
