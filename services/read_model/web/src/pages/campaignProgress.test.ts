import { describe, expect, it } from "vitest";
import type { Call, SmsStats, Status, VoiceStats } from "@/api/types";
// The same cases that the platform's own formulas are tested with.
import golden from "../../../../../tests/contracts/formulas.json";
import {
  answerRate,
  buildCampaignProgressSummary,
  completionRate,
  shouldPollCampaignCalls,
} from "./campaignProgress";

const numbers = [...golden.voice, ...golden.sms] as {
  name: string;
  stats: SmsStats | VoiceStats;
}[];
const expected = new Map(
  [...golden.voice, ...golden.sms].map(({ name, progress }) => [name, progress]),
);

describe("how far a campaign is", () => {
  it.each(numbers)("follows from its numbers: $name", ({ name, stats }) => {
    const progress = expected.get(name);
    expect(buildCampaignProgressSummary(stats)).toEqual({
      processedCount: progress?.processed_count,
      processedPercent: progress?.processed_percent,
      successPercent: progress?.success_percent,
      connected: progress?.connected,
      baseDiallingCompleted: progress?.base_dialling_completed,
    });
  });
});

const polling = golden.polling as {
  status: Status;
  calls: Call["status"][];
  worth_polling: boolean;
}[];

describe("what may change by itself", () => {
  it.each(polling)("is worth polling: $status with $calls", ({ status, calls, worth_polling }) => {
    const listed = calls.map((call) => ({ status: call }));
    expect(shouldPollCampaignCalls(status, listed)).toBe(worth_polling);
  });

  it("is known from a campaign's numbers too", () => {
    expect(shouldPollCampaignCalls("paused", { live: 1, callback_pending: 0 })).toBe(true);
    expect(shouldPollCampaignCalls("paused", { live: 0, callback_pending: 2 })).toBe(true);
    expect(shouldPollCampaignCalls("paused", { live: 0, callback_pending: 0 })).toBe(false);
    expect(shouldPollCampaignCalls("running", { live: 0, callback_pending: 0 })).toBe(true);
  });
});

describe("the rates that are shown", () => {
  it.each(golden.shown_rates)("fall back to the connect rate", (rates) => {
    expect(answerRate(rates)).toBe(rates.answer_rate);
    expect(completionRate(rates)).toBe(rates.completion);
  });
});
