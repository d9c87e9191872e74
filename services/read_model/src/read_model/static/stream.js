// Server-sent events over fetch: EventSource cannot send an Authorization header.

const SILENCE_MS = 40_000; // two pings and a half
const LONGEST_PAUSE_MS = 10_000;

/** What came out of one connection that ended: the token is of no use any more. */
export class Unauthorized extends Error {}

/**
 * Keep a stream open for as long as `signal` allows and hand over every event.
 * `onState` hears "live" and, with the number of seconds until the next try, "lost".
 */
export async function follow(path, token, { onEvent, onState, signal }) {
  let pause = 500;
  while (!signal.aborted) {
    try {
      await once(path, token, signal, (event) => {
        pause = 500;
        onState("live");
        onEvent(event);
      });
    } catch (error) {
      if (error instanceof Unauthorized) throw error;
      if (signal.aborted) return;
    }
    onState("lost", Math.max(1, Math.round(pause / 1000)));
    await sleep(pause * (0.75 + Math.random() / 2), signal);
    pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
  }
}

async function once(path, token, signal, onEvent) {
  const silence = new AbortController();
  const stop = () => silence.abort();
  signal.addEventListener("abort", stop, { once: true });
  let watchdog = setTimeout(stop, SILENCE_MS);
  try {
    const answer = await fetch(path, {
      headers: { Authorization: `Bearer ${token}`, Accept: "text/event-stream" },
      signal: silence.signal,
      cache: "no-store",
    });
    if (answer.status === 401 || answer.status === 403) {
      const problem = await answer.json().catch(() => ({}));
      throw new Unauthorized(problem.detail ?? "The token was not accepted.");
    }
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      clearTimeout(watchdog);
      watchdog = setTimeout(stop, SILENCE_MS);
      const frames = (rest + value).split("\n\n");
      rest = frames.pop();
      for (const frame of frames) {
        const event = parse(frame);
        if (event) onEvent(event);
      }
    }
  } finally {
    clearTimeout(watchdog);
    signal.removeEventListener("abort", stop);
  }
}

function parse(frame) {
  const fields = { event: "message", data: "" };
  for (const line of frame.split("\n")) {
    const colon = line.indexOf(":");
    if (colon > 0) fields[line.slice(0, colon)] = line.slice(colon + 1).replace(/^ /, "");
  }
  return fields.data ? fields : null;
}

function sleep(ms, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => { clearTimeout(timer); resolve(); }, { once: true });
  });
}
