import { expect, it } from "vitest";
import { getShortCampaignId } from "./campaignId";

it("a short id is the last 8 characters", () => {
  expect(getShortCampaignId("0198c0de-0000-7000-8000-0000aabbccdd")).toBe("aabbccdd");
});

it("an id that is short already stays as it is", () => {
  expect(getShortCampaignId("abc")).toBe("abc");
});
