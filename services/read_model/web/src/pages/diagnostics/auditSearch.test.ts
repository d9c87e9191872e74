import { expect, it } from "vitest";
import { auditAddress, auditQuery, EVERYTHING } from "./auditSearch";

it("what is empty is not asked for", () => {
  expect(auditQuery(EVERYTHING)).toEqual({});
  expect(auditAddress(EVERYTHING)).toBe("");
});

it("several of one kind are told by commas, times in UTC", () => {
  const wanted = {
    ...EVERYTHING,
    action: "campaign.started, campaign.stopped",
    from: "2030-01-01T10:00",
  };
  const from = new Date(wanted.from).toISOString();
  expect(auditQuery(wanted)).toEqual({ action: ["campaign.started", "campaign.stopped"], from });
  expect(auditAddress(wanted)).toBe(
    `?action=campaign.started&action=campaign.stopped&from=${encodeURIComponent(from)}`,
  );
});
