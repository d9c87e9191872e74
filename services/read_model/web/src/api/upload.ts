// XMLHttpRequest, because fetch does not tell how far an upload is.
import { addressOf, headersFor, heed } from "./client";
import { ProblemError, problemOf } from "./problem";

interface Upload {
  path: string;
  file: File;
  /** Told again and again how many bytes are on the other side. */
  onProgress: (bytes: number) => void;
  signal: AbortSignal;
}

/**
 * Send a file as it is; returns the answer's body.
 *
 * @throws ProblemError when the platform refuses it or does not answer; an AbortError when it was stopped.
 */
export async function upload<T>({ path, file, onProgress, signal }: Upload): Promise<T> {
  const answer = await sent(path, file, onProgress, signal);
  heed("PUT", answer);
  if (!answer.ok) throw await problemOf(answer);
  return (await answer.json()) as T;
}

function sent(
  path: string,
  file: File,
  onProgress: (bytes: number) => void,
  signal: AbortSignal,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("PUT", addressOf(path));
    headersFor("PUT").forEach((value, name) => {
      request.setRequestHeader(name, value);
    });
    const kind = file.name.toLowerCase().endsWith(".csv") ? "text/csv" : "text/plain";
    request.setRequestHeader("Content-Type", kind);
    request.upload.onprogress = ({ loaded }) => onProgress(loaded);
    request.onload = () => resolve(answerOf(request));
    request.onerror = () => reject(new ProblemError({ status: 0 }));
    request.onabort = () => reject(new DOMException("stopped", "AbortError"));
    signal.addEventListener("abort", () => request.abort(), { once: true });
    request.send(file);
  });
}

function answerOf(request: XMLHttpRequest): Response {
  const headers = new Headers();
  for (const line of request.getAllResponseHeaders().trim().split(/\r\n/)) {
    const [name = "", ...value] = line.split(": ");
    if (name) headers.set(name, value.join(": "));
  }
  return new Response(request.responseText, { status: request.status, headers });
}
