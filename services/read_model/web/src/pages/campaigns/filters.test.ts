import { expect, it } from "vitest";
import { idIn, matches } from "./filters";

const row = { id: "0198c0de-0000-7000-8000-0000aabbccdd", name: "Spring Sale Ümlaut" };

it("a campaign is found by a part of its name, whatever the case", () => {
  expect(matches(row, "sale")).toBe(true);
  expect(matches(row, "  SPRING ")).toBe(true);
  expect(matches(row, "ÜML")).toBe(true);
  expect(matches(row, "autumn")).toBe(false);
  expect(matches(row, "")).toBe(true);
});

it("a campaign is found by its full id, not by a part of it", () => {
  expect(matches(row, "0198C0DE-0000-7000-8000-0000AABBCCDD")).toBe(true);
  expect(matches(row, "aabbccdd")).toBe(false);
});

it("a full id is known as one", () => {
  expect(idIn(" 0198C0DE-0000-7000-8000-0000AABBCCDD ")).toBe(row.id);
  expect(idIn("aabbccdd")).toBeNull();
  expect(idIn("Spring")).toBeNull();
});
