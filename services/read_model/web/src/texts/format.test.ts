import { expect, it } from "vitest";
import { bytes, percent, relative, share, shortId } from "./format";

it("what is not complete never reads as complete", () => {
  expect(percent(99.99)).toBe("99.9%");
  expect(percent(100)).toBe("100%");
  expect(percent(0)).toBe("0%");
});

it("a rate without a denominator is a dash", () => {
  expect(share(null)).toBe("–");
  expect(share(1 / 3)).toBe("33.3%");
});

it("bytes are read in the unit that fits", () => {
  expect(bytes(0)).toBe("0 byte");
  expect(bytes(512)).toBe("512 byte");
  expect(bytes(1_234_567)).toBe("1.2 MB");
});

it("a moment is told from now", () => {
  const now = new Date("2026-11-22T12:00:00Z");
  expect(relative("2026-11-22T11:57:00Z", now)).toBe("3 minutes ago");
  expect(relative("2026-11-20T12:00:00Z", now)).toBe("2 days ago");
});

it("a short id is the last 8 characters", () => {
  expect(shortId("0198c0de-0000-7000-8000-0000aabbccdd")).toBe("aabbccdd");
});
