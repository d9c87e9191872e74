import { expect, it } from "vitest";
import { between, duration } from "./duration";

it("seconds are told in the units that people use", () => {
  expect([0, 4.25, 59.6, 60, 3_599, 3_600, 90_000].map(duration)).toEqual([
    "0 s",
    "4.3 s",
    "1 min 00 s",
    "1 min 00 s",
    "59 min 59 s",
    "1 h 00 min",
    "1 d 1 h",
  ]);
});

it("what lies between two moments is known when both are", () => {
  expect(between("2030-01-01T00:00:00Z", "2030-01-01T00:00:01.5Z")).toBe(1.5);
  expect(between("2030-01-01T00:00:00Z", null)).toBeNull();
});
