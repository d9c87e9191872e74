import { describe, expect, it } from "vitest";
import { emptyDraft } from "./draft";
import { inStep, mistakesIn, mistakesOf, stepOf, stepsOf } from "./steps";

const fresh = emptyDraft("UTC");

describe("what the platform refuses", () => {
  it("lands on the field that its path names", () => {
    const fields = new Map([["contact_caps.0.calls", "too small"]]);
    expect(mistakesIn(fields, [])).toEqual({ "contact_caps.0.calls": "too small" });
    expect(stepOf("contact_caps.0.calls")).toBe("dialler");
    expect(stepOf("daily_window.timezone")).toBe("schedule");
  });

  it("lands on the field that a sentence is about", () => {
    const reasons = [
      "text: the placeholder at index 2 is never closed",
      "ends_at has passed already",
      "mode on_time needs starts_at",
      "name must have 1 to 200 characters",
      "nobody knows why",
    ];
    expect(mistakesIn(new Map(), reasons)).toEqual({
      text: reasons[0],
      ends_at: reasons[1],
      starts_at: reasons[2],
      name: reasons[3],
    });
  });
});

describe("what is missing", () => {
  it("depends on the channel and the mode", () => {
    expect(Object.keys(mistakesOf(fresh))).toEqual(["channel", "name"]);
    const spread = mistakesOf({ ...fresh, channel: "sms", mode: "spread" });
    expect(Object.keys(inStep(spread, "schedule"))).toEqual(["starts_at", "ends_at"]);
    const voice = mistakesOf({ ...fresh, channel: "voice", cps_limit: "" });
    expect(Object.keys(voice)).toEqual(["name", "destination", "cps_limit"]);
  });

  it("is asked for in the steps of its channel", () => {
    expect(stepsOf("voice")).toContain("dialler");
    expect(stepsOf("sms")).not.toContain("dialler");
  });
});
