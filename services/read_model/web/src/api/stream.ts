// Server-sent events over fetch: EventSource cannot send an Authorization header.
import { EventSourceParserStream } from "eventsource-parser/stream";
import { send } from "./client";
import { ProblemError } from "./problem";

/** Two pings and a half: a connection that says nothing for so long is dead. */
const SILENCE_MS = 40_000;
const SHORTEST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 10_000;

export interface Listener {
  /** Something came: the connection lives. */
  onSign: () => void;
  onEvent: (event: string, data: string) => void;
  /** The connection is gone; it is tried again in so many milliseconds. */
  onLost: (pauseMs: number) => void;
}

/** Keep a stream open until `signal` aborts, or until the platform refuses it for good. */
export async function follow(path: string, listener: Listener, signal: AbortSignal): Promise<void> {
  let pause = SHORTEST_PAUSE_MS;
  while (!signal.aborted) {
    try {
      await listen(path, signal, {
        ...listener,
        onSign: () => {
          pause = SHORTEST_PAUSE_MS;
          listener.onSign();
        },
      });
    } catch (error) {
      if (error instanceof ProblemError && [401, 403, 404].includes(error.status)) return;
    }
    if (signal.aborted) return;
    const wait = pause * (0.75 + Math.random() / 2);
    listener.onLost(wait);
    await rest(wait, signal);
    pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
  }
}

async function listen(path: string, signal: AbortSignal, listener: Listener): Promise<void> {
  const silence = new AbortController();
  let watchdog = setTimeout(() => silence.abort(), SILENCE_MS);
  const sign = () => {
    clearTimeout(watchdog);
    watchdog = setTimeout(() => silence.abort(), SILENCE_MS);
    listener.onSign();
  };
  try {
    const answer = await send(path, {
      headers: { Accept: "text/event-stream" },
      cache: "no-store",
      signal: AbortSignal.any([signal, silence.signal]),
    });
    if (!answer.body) return;
    const events = answer.body
      .pipeThrough(new TextDecoderStream() as unknown as ReadableWritablePair<string, Uint8Array>)
      .pipeThrough(new EventSourceParserStream({ onComment: sign }))
      .getReader();
    for (;;) {
      const { value, done } = await events.read();
      if (done) return;
      sign();
      listener.onEvent(value.event ?? "message", value.data);
    }
  } finally {
    clearTimeout(watchdog);
  }
}

function rest(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done, { once: true });
  });
}
