import createClient, { type Middleware } from "openapi-fetch";
import { expire, session, workspaceAsked } from "@/auth/session";
import { ProblemError, problemOf } from "./problem";
import type { paths } from "./schema";

/** For how long reads wait for what this page has written; later every view has it anyway. */
const OWN_WRITES_MS = 15_000;
const SAFE = ["GET", "HEAD"];
let written = { position: "", at: 0 };

/** The headers that every request needs; for uploads and downloads that go past `api`. */
export function headersFor(method: string): Headers {
  const headers = new Headers();
  const known = session();
  if (known) headers.set("Authorization", `Bearer ${known.token}`);
  if (method === "POST") headers.set("Idempotency-Key", crypto.randomUUID());
  if (SAFE.includes(method) && Date.now() - written.at < OWN_WRITES_MS) {
    headers.set("Min-Event-Position", written.position);
  }
  return headers;
}

/** Take note of what an answer says beside its body. */
export function heed(method: string, answer: Response): void {
  const position = answer.headers.get("Event-Position");
  if (position && !SAFE.includes(method)) written = { position, at: Date.now() };
  if (answer.status === 401) expire();
}

/** An address with the workspace that a super admin has chosen to look at. */
export function addressOf(path: string): string {
  const workspace = workspaceAsked();
  if (!workspace) return path;
  return `${path}${path.includes("?") ? "&" : "?"}workspace=${encodeURIComponent(workspace)}`;
}

const manners: Middleware = {
  async onRequest({ request }) {
    const asked = await moved(request, addressOf(request.url));
    headersFor(request.method).forEach((value, name) => {
      asked.headers.set(name, value);
    });
    return asked;
  },
  onResponse({ request, response }) {
    heed(request.method, response);
  },
  onError() {
    return new ProblemError({ status: 0 });
  },
};

/** The same request to another address; its body is read first, as only HTTP/2 can send a stream. */
async function moved(request: Request, address: string): Promise<Request> {
  if (address === request.url) return request;
  const { method, headers, signal } = request;
  const body = request.body === null ? undefined : await request.arrayBuffer();
  return new Request(address, { method, headers, signal, body });
}

/** The whole API, typed by its OpenAPI document: `await data(api.GET("/api/v1/campaigns"))`. */
export const api = createClient<paths>({ baseUrl: window.location.origin });
api.use(manners);

interface Answered<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/**
 * The body of an answer.
 *
 * @throws ProblemError when it is a problem, or when there was no answer.
 */
export async function data<T>(asked: Promise<Answered<T>>): Promise<T> {
  const { data: body, error, response } = await asked;
  if (error === undefined) return body as T;
  if (error instanceof Error) throw error;
  throw new ProblemError({ ...(error as object), status: response.status });
}

/**
 * A request that is no JSON: a file up or down.
 *
 * @throws ProblemError as `data` does.
 */
export async function send(path: string, request: RequestInit = {}): Promise<Response> {
  const method = request.method ?? "GET";
  const headers = headersFor(method);
  new Headers(request.headers).forEach((value, name) => {
    headers.set(name, value);
  });
  const answer = await fetch(addressOf(path), { ...request, headers }).catch((error: unknown) => {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new ProblemError({ status: 0 });
  });
  heed(method, answer);
  if (!answer.ok) throw await problemOf(answer);
  return answer;
}
