import { describe, expect, it } from "vitest";
import type { Campaign } from "@/api/types";
import { bodyOf, changesOf, draftOf, emptyDraft, localOf } from "./draft";

const fresh = emptyDraft("Europe/London");

describe("a draft", () => {
  it("has the defaults of the platform", () => {
    expect(bodyOf({ ...fresh, channel: "voice" })).toMatchObject({
      concurrency_limit: 50,
      cps_limit: 10,
      pacing: "predictive",
      abandon: { limit: 0.03, window: "campaign", max_wait_s: 2 },
      dial_timeout_s: 25,
      contact_caps: [],
      campaign_mode: "single_day",
      redial_rules: { max_attempts: 3, retry_delay_minutes: 30 },
      amd: { enabled: false, total_analysis_ms: 5000 },
    });
  });

  it("sends only the settings of its channel", () => {
    const sms = bodyOf({ ...fresh, channel: "sms", name: " Spring " });
    expect(sms).toMatchObject({ channel: "sms", name: "Spring", daily_window: null });
    expect(sms).not.toHaveProperty("pacing");
    expect(bodyOf({ ...fresh, channel: "voice" })).not.toHaveProperty("text");
  });

  it("says percents as shares, without a rounding error", () => {
    for (const [percent, limit] of [
      [3, 0.03],
      [0.07, 0.0007],
      [29, 0.29],
      ["1.1", 0.011],
    ] as const) {
      const draft = { ...fresh, channel: "voice" as const };
      draft.abandon = { ...draft.abandon, limit: percent };
      expect(bodyOf(draft)).toMatchObject({ abandon: { limit } });
    }
  });

  it("comes back from the campaign that it made", () => {
    const local = "2030-03-04T09:30";
    const draft = {
      ...fresh,
      channel: "sms" as const,
      name: "Spring",
      starts_at: local,
      windowed: true,
    };
    const campaign = { ...bodyOf(draft), default_region: null } as unknown as Campaign;
    expect(draftOf(campaign, "UTC")).toEqual({
      ...draft,
      time_window: { ...fresh.time_window, timezone: "UTC" },
    });
    expect(localOf(new Date(local).toISOString())).toBe(local);
    expect(localOf(null)).toBe("");
  });

  it("is changed by what differs only, groups as a whole", () => {
    const before = bodyOf({ ...fresh, channel: "voice", name: "One" });
    const after = bodyOf({
      ...fresh,
      channel: "voice",
      name: "Two",
      amd: { ...fresh.amd, enabled: true },
    });
    expect(Object.keys(changesOf(before, after)).sort()).toEqual(["amd", "name"]);
    expect(changesOf(before, before)).toEqual({});
    expect(changesOf({}, after)).not.toHaveProperty("channel");
  });
});
