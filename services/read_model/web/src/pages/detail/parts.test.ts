import { expect, it } from "vitest";
import { callParts, messageParts } from "./parts";

const sum = (parts: { value: number }[]) => parts.reduce((whole, { value }) => whole + value, 0);

it("every message is in exactly one part", () => {
  const stats = { queued: 1, submitting: 2, submitted: 4, delivered: 8, failed: 16, skipped: 32 };
  expect(sum(messageParts({ ...stats, total: 63, segments: 0 }))).toBe(63);
});

it("every call is in exactly one part", () => {
  const stats = {
    pending: 1,
    completed: 2,
    failed: 4,
    abandoned: 8,
    window_closed: 16,
    manual_stopped: 32,
    machine_detected_count: 64,
    callback_pending: 128,
    retry_pending: 256,
    live: 512,
  };
  const besides = { total_calls: 1023, connected: 0, attempts: 0, answered_attempts: 0 };
  const rates = { attempt_answer_rate: null, connect_rate: null, completion_rate: null };
  expect(sum(callParts({ ...stats, ...besides, ...rates }))).toBe(1023);
});
